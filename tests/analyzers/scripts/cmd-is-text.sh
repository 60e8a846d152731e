#!/bin/sh
set -e
if [ $# -eq 1 ]; then
    case "$1" in
        *" "*) exec sh -c "$1" ;;
    esac
fi
if [ "${WAIT:-}" ]; then
    oldIFS=$IFS; IFS=,
    for one in $WAIT; do
        host=${one%:*}
        timeout 10 sh -c "until nc -z $host ${one#*:}; do sleep 1; done"
    done
    IFS=$oldIFS
fi
sh -c 'trap "" HUP; exec "$0" "$@"' "$@"
