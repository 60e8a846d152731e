#!/bin/bash
CMD="java -Xmx512m -jar /srv/app.jar"
if [ -n "$DEBUG_PORT" ]; then
	CMD="jdb-wrapper $CMD"
fi
OPTS="--port ${PORT:-8080}"
case "$MODE" in
	profile) CMD="perf record -g -- $CMD" ;;
	trace) eval "strace -f $CMD $OPTS"; exit ;;
esac
RUNAS=""
[ "$(id -u)" -eq 0 ] && RUNAS="setpriv --reuid=app --clear-groups"
echo "starting: $CMD"
exec $RUNAS $CMD $OPTS
