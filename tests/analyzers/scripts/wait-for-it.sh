#!/usr/bin/env bash
WAITFORIT_cmdname=${0##*/}
echoerr() { if [[ $WAITFORIT_QUIET -ne 1 ]]; then echo "$@" 1>&2; fi }
usage() {
    cat << USAGE >&2
Usage: $WAITFORIT_cmdname host:port [-t timeout] [-- command args]
USAGE
    exit 1
}
wait_for() {
    WAITFORIT_start_ts=$(date +%s)
    while :
    do
        if [[ $WAITFORIT_ISBUSY -eq 1 ]]; then
            nc -z $WAITFORIT_HOST $WAITFORIT_PORT
            WAITFORIT_result=$?
        else
            (echo -n > /dev/tcp/$WAITFORIT_HOST/$WAITFORIT_PORT) >/dev/null 2>&1
            WAITFORIT_result=$?
        fi
        if [[ $WAITFORIT_result -eq 0 ]]; then
            WAITFORIT_end_ts=$(date +%s)
            break
        fi
        sleep 1
    done
    return $WAITFORIT_result
}
wait_for_wrapper() {
    timeout $WAITFORIT_BUSYTIMEFLAG $WAITFORIT_TIMEOUT $0 --quiet --child --host=$WAITFORIT_HOST &
    WAITFORIT_PID=$!
    trap "kill -INT -$WAITFORIT_PID" INT
    wait $WAITFORIT_PID
    return $?
}
while [[ $# -gt 0 ]]
do
    case "$1" in
        *:* )
        WAITFORIT_hostport=(${1//:/ })
        WAITFORIT_HOST=${WAITFORIT_hostport[0]}
        WAITFORIT_PORT=${WAITFORIT_hostport[1]}
        shift 1
        ;;
        --child) WAITFORIT_CHILD=1; shift 1 ;;
        --quiet) WAITFORIT_QUIET=1; shift 1 ;;
        --host=*) WAITFORIT_HOST="${1#*=}"; shift 1 ;;
        -t) WAITFORIT_TIMEOUT="$2"; shift 2 ;;
        --) shift; WAITFORIT_CLI=("$@"); break ;;
        *) echoerr "Unknown argument: $1"; usage ;;
    esac
done
WAITFORIT_TIMEOUT_PATH=$(type -p timeout)
WAITFORIT_TIMEOUT_PATH=$(realpath $WAITFORIT_TIMEOUT_PATH 2>/dev/null || readlink -f $WAITFORIT_TIMEOUT_PATH)
WAITFORIT_BUSYTIMEFLAG=""
if [[ $WAITFORIT_TIMEOUT_PATH =~ "busybox" ]]; then
    WAITFORIT_ISBUSY=1
fi
if [[ $WAITFORIT_CHILD -gt 0 ]]; then
    wait_for
    exit $?
elif [[ ${WAITFORIT_TIMEOUT:-1} -gt 0 ]]; then
    wait_for_wrapper
else
    wait_for
fi
if [[ $WAITFORIT_CLI != "" ]]; then
    exec "${WAITFORIT_CLI[@]}"
else
    exit 0
fi
