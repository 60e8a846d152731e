#!/bin/sh
set -e
if [ "$1" = jetty.sh ]; then
	exit 1
fi
if ! command -v -- "$1" >/dev/null 2>&1; then
	set -- java -jar "$JETTY_HOME/start.jar" "$@"
fi
: ${TMPDIR:=/tmp/jetty}
[ -d "$TMPDIR" ] || mkdir -p $TMPDIR 2>/dev/null
if [ "$1" = "java" ]; then
	if expr "$*" : '.*/start\.jar.*$' >/dev/null; then
		if [ -f "$JETTY_BASE/jetty.start" ]; then
			set -- $(cat "$JETTY_BASE/jetty.start")
		else
			"$@" --dry-run > $JETTY_BASE/jetty.start
			sed -i 's/\\$//' $JETTY_BASE/jetty.start || :
		fi
	fi
fi
if [ "${1##*/}" = java -a -n "$JAVA_OPTIONS" ]; then
	java="$1"
	shift
	set -- "$java" $JAVA_OPTIONS "$@"
fi
exec "$@"
