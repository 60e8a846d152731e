#!/bin/sh
# The busybox way to wait for a port.
set -- "$@" -- "$TIMEOUT" "$QUIET" "$HOST" "$PORT" "$result"
TIMEOUT=15
QUIET=0
while [ $# -gt 0 ]; do
  case "$1" in
    *:* )
      HOST=$(printf "%s\n" "$1" | cut -d : -f 1)
      PORT=$(printf "%s\n" "$1" | cut -d : -f 2)
      shift 1
      ;;
    -t) TIMEOUT="$2"; shift 2 ;;
    --) shift; break ;;
    *) echo "Unknown argument: $1" >&2; exit 64 ;;
  esac
done
wait_for() {
  command -v nc >/dev/null || { echo 'nc is missing' >&2; exit 69; }
  while :; do
    nc -w 1 -z "$HOST" "$PORT" > /dev/null 2>&1 && break
    TIMEOUT=$((TIMEOUT - 1))
    [ "$TIMEOUT" -le 0 ] && exit 1
    sleep 1
  done
}
wait_for
if [ "$1" = "yarn" ] || [ -f yarn.lock ]; then
  exec yarn start
fi
exec "$@"
