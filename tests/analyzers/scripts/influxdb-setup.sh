#!/bin/bash
set -eo pipefail

log () {
    local level=$1 msg=$2
    >&2 printf '{"level":"%s","ts":"%s","msg":"%s"}\n' "$level" "$(date -u +%Y)" "$msg"
}

ensure_init_vars_set () {
    local missing_some=0
    for var in ORG BUCKET USERNAME; do
        local name="DOCKER_INFLUXDB_INIT_$var"
        if [ -z "${!name}" ]; then
            log error "missing $name"
            missing_some=1
        fi
    done
    return "$missing_some"
}

setup_influxd () {
    local -a setup_args=(--force --org "${DOCKER_INFLUXDB_INIT_ORG}")
    if [ -n "${DOCKER_INFLUXDB_INIT_RETENTION}" ]; then
        setup_args=("${setup_args[@]}" --retention "${DOCKER_INFLUXDB_INIT_RETENTION}")
    fi
    influx setup "${setup_args[@]}"
}

run_user_scripts () {
    if [ -d "${USER_SCRIPT_DIR:=/docker-entrypoint-initdb.d}" ]; then
        log info "Executing user-provided scripts"
        run-parts --regex '.*sh$' --report --exit-on-error "${USER_SCRIPT_DIR}"
    fi
}

wait_for_influxd () {
    while ! influx ping; do
        sleep 1
        if ! kill -0 "${1}" 2>/dev/null; then
            log error "died"
            exit 1
        fi
    done
}

cleanup_influxd () {
    rm -rf "${bolt}" "${engine}"
}

main () {
    bolt=/var/lib/influxdb2/influxd.bolt engine=/var/lib/influxdb2/engine
    if [ "${DOCKER_INFLUXDB_INIT_MODE}" = setup ]; then
        ensure_init_vars_set || exit 1
        trap "cleanup_influxd" EXIT
        influxd --http-bind-address=:9999 &
        local -r influxd_init_pid="$!"
        wait_for_influxd "${influxd_init_pid}"
        setup_influxd
        run_user_scripts
        trap - EXIT
        kill "${influxd_init_pid}" || :
    fi
    exec influxd "$@"
}
main "$@"
