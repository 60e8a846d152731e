#!/bin/bash
set -eo pipefail
function run_influxd () {
    if [ "$(id -u)" = 0 ]; then
        exec gosu influxdb influxd "$@"
    fi
    exec influxd "$@"
}
function create_directories () {
    local -r data_dir="$(dirname "${INFLUXD_BOLT_PATH:-/var/lib/influxdb2/influxd.bolt}")"
    local -r config_dir=/etc/influxdb2
    mkdir -p "${data_dir}" "${config_dir}"
    chmod 700 "${data_dir}" "${config_dir}" || :
    if [ "$(id -u)" = 0 ]; then
        find "${data_dir}" ! -user influxdb -exec chown influxdb '{}' +
    fi
}
create_directories
if [ "${1}" = influxd ]; then
    shift 1
fi
run_influxd "$@"
