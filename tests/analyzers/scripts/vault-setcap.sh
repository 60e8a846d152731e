#!/usr/bin/dumb-init /bin/sh
set -e
get_addr () {
    local if_name=$1
    local uri_template=$2
    ip addr show dev $if_name | awk -v uri=$uri_template '/\s*inet\s/ { print gensub(/x/, uri, 1) }'
}
if [ -n "$VAULT_REDIRECT_INTERFACE" ]; then
    export VAULT_REDIRECT_ADDR=$(get_addr $VAULT_REDIRECT_INTERFACE ${VAULT_REDIRECT_ADDR:-"http://0.0.0.0:8200"})
fi
if [ "${1:0:1}" = '-' ]; then
    set -- vault "$@"
fi
if [ "$1" = 'server' ]; then
    shift
    set -- vault server -config=/vault/config -dev-root-token-id="$VAULT_DEV_ROOT_TOKEN_ID" "$@"
elif [ "$1" = 'version' ]; then
    set -- vault "$@"
elif vault --help "$1" 2>&1 | grep -q "vault $1"; then
    set -- vault "$@"
fi
if [ "$1" = 'vault' ]; then
    if [ -z "$SKIP_SETCAP" ]; then
        setcap cap_ipc_lock=+ep $(readlink -f $(which vault))
        if ! vault -version 1>/dev/null 2>/dev/null; then
            >&2 echo "Couldn't start vault with IPC_LOCK"
            setcap cap_ipc_lock=-ep $(readlink -f $(which vault))
        fi
    fi
    if [ "$(id -u)" = '0' ]; then
        set -- su-exec app "$@"
    fi
fi
exec "$@"
