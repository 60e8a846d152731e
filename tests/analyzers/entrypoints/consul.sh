#!/usr/bin/dumb-init /bin/sh
set -e
if [ "$1" = 'agent' ]; then
    shift
    set -- consul agent -data-dir="$CONSUL_DATA_DIR" "$@"
fi
if [ "$1" = 'consul' ] && [ -z "${CONSUL_DISABLE_PERM_MGMT+x}" ]; then
    if [ "$(id -u)" = "0" ]; then
        chown -R consul:consul "$CONSUL_DATA_DIR"
        set -- su-exec consul:consul "$@"
    fi
fi
exec "$@"
