#!/bin/sh
usage() {
    sed -n '2,4p' "$0" | fold -s -w 70
    exit "${1:-0}"
}
level=info
mode=serve
while getopts "hl:m:c:" opt; do
    case $opt in
        h) usage ;;
        l) level=$OPTARG ;;
        m) mode=$OPTARG ;;
        c) config=$OPTARG ;;
        *) usage 64 ;;
    esac
done
shift $((OPTIND - 1))
case $mode in
    serve) set -- httpserver --level "$level" "$@" ;;
    check) exec httpserver --check "${config:-/etc/httpserver.conf}" ;;
    dump) exec tar -C /data -cf - . | gzip -c ;;
esac
exec nice -n 5 ionice -c 3 "$@"
