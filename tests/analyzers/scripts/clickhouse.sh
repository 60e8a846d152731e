#!/bin/bash
set -eo pipefail
shopt -s nullglob
USER="$(id -u)"
GROUP="$(id -g)"
DO_CHOWN=1
if [[ "${CLICKHOUSE_RUN_AS_ROOT:=0}" = "1" || "${CLICKHOUSE_DO_NOT_CHOWN:-0}" = "1" ]]; then
    DO_CHOWN=0
fi
CLICKHOUSE_CONFIG="${CLICKHOUSE_CONFIG:-/etc/clickhouse-server/config.xml}"
mapfile -t DISKS < <(clickhouse extract-from-config --config-file "$CLICKHOUSE_CONFIG" --key='storage.*.path' || true)
DATA_DIR="$(clickhouse extract-from-config --config-file "$CLICKHOUSE_CONFIG" --key=path || true)"
function create_directory() {
    local dir="$1"
    [ -z "$dir" ] && return
    mkdir -p "$dir"
    if [ "$DO_CHOWN" = "1" ]; then
        chown -R "$USER:$GROUP" "$dir"
    fi
}
create_directory "$DATA_DIR"
for dir in "${DISKS[@]}"; do
    create_directory "$dir"
done
if [ -n "$(ls /docker-entrypoint-initdb.d/)" ] || [ -n "$CLICKHOUSE_DB" ]; then
    clickhouse su "${USER}:${GROUP}" clickhouse-server --config-file="$CLICKHOUSE_CONFIG" -- --listen_host=127.0.0.1 &
    pid="$!"
    tries=${CLICKHOUSE_INIT_TIMEOUT:-2}
    while ! wget --spider --no-check-certificate -T 1 -q "http://127.0.0.1:8123/ping" 2>/dev/null; do
        if [ "$tries" -le "0" ]; then exit 1; fi
        tries=$(( tries-1 ))
        sleep 1
    done
    clickhouseclient=( clickhouse-client --multiquery --host "127.0.0.1" )
    if [ -n "$CLICKHOUSE_DB" ]; then
        "${clickhouseclient[@]}" -q "CREATE DATABASE IF NOT EXISTS $CLICKHOUSE_DB"
    fi
    for f in /docker-entrypoint-initdb.d/*; do
        case "$f" in
            *.sql)    "${clickhouseclient[@]}" < "$f" ;;
            *.sql.gz) gunzip -c "$f" | "${clickhouseclient[@]}" ;;
        esac
    done
    if ! kill -s TERM "$pid" || ! wait "$pid"; then
        echo >&2 'Finishing of ClickHouse init process failed.'
    fi
fi
if [[ $# -lt 1 ]] || [[ "$1" == "--"* ]]; then
    CLICKHOUSE_WATCHDOG_ENABLE=${CLICKHOUSE_WATCHDOG_ENABLE:-0}
    export CLICKHOUSE_WATCHDOG_ENABLE
    exec clickhouse su "${USER}:${GROUP}" clickhouse-server --config-file="$CLICKHOUSE_CONFIG" "$@"
fi
exec "$@"
