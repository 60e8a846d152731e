#!/bin/bash
pids=()
start() {
	local name=$1
	shift
	"$@" > >(awk -v n="$name" '{ print n ": " $0 }') 2>&1 &
	pids+=($!)
}
start db redis-server --save ''
start web gunicorn app:app
start log vector --config /etc/vector.toml
stop() {
	for pid in "${pids[@]}"; do
		kill -TERM "$pid" 2>/dev/null
	done
}
trap stop TERM INT
coproc HEALTH { healthd --stdin; }
echo ready >&"${HEALTH[1]}"
wait -n
code=$?
stop
exit $code
