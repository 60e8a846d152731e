#!/usr/bin/dumb-init /bin/sh
set -e
ulimit -c 0
if [ "$1" = 'server' ]; then
    shift
    set -- vault server -config=/vault/config "$@"
fi
if [ "$1" = 'vault' ]; then
    if [ -z "$SKIP_CHOWN" ]; then
        if [ "$(stat -c %u /vault/logs)" != "$(id -u vault)" ]; then
            chown -R vault:vault /vault/logs || echo "could not chown"
        fi
    fi
    if [ -z "$SKIP_SETCAP" ]; then
        setcap cap_ipc_lock=+ep $(readlink -f $(which vault)) || true
    fi
    if [ "$(id -u)" = '0' ]; then
        set -- su-exec vault "$@"
    fi
fi
exec "$@"
