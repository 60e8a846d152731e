#!/bin/bash
set -e
if [ "$#" -eq 0 ] || [ "${1#-}" != "$1" ]; then
	set -- cassandra -f "$@"
fi
if [ "$1" = 'cassandra' -a "$(id -u)" = '0' ]; then
	find "$CASSANDRA_CONF" /var/lib/cassandra /var/log/cassandra \
		\! -user cassandra -exec chown cassandra '{}' +
	exec gosu cassandra "$BASH_SOURCE" "$@"
fi
_sed_in_place() {
	local file="$1"; shift
	local temp; temp="$(mktemp)"
	sed "$@" "$file" > "$temp"
	cat "$temp" > "$file"
	rm "$temp"
}
if [ "$1" = 'cassandra' ]; then
	: "${CASSANDRA_RPC_ADDRESS='0.0.0.0'}"
	_sed_in_place "$CASSANDRA_CONF/cassandra.yaml" -r 's/^(rpc_address:).*/\1 x/'
fi
exec "$@"
