#!/bin/sh
NAME=collectd
DAEMON=/usr/sbin/$NAME
PIDFILE=/tmp/$NAME.pid
DAEMON_OPTS="-C /etc/collectd.conf"
test -x $DAEMON || exit 5
[ -r /etc/default/$NAME ] && . /etc/default/$NAME
start-stop-daemon --start --quiet --background --make-pidfile --pidfile $PIDFILE --exec /usr/bin/statsd -- --port 8125
start-stop-daemon --start --chuid app --exec $DAEMON -- $DAEMON_OPTS
while pidof -x "$NAME" >/dev/null; do
    watch -n 5 -t -g 'ss -lnt | wc -l' >/dev/null 2>&1 || break
    parallel -j2 gzip ::: /tmp/*.log
done
