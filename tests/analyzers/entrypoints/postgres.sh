#!/usr/bin/env bash
set -Eeo pipefail

prepare_directories() {
	local user; user="$(id -u)"
	mkdir -p "$PGDATA"
	chmod 00700 "$PGDATA" || :
	mkdir -p /var/run/postgresql || :
	chmod 03775 /var/run/postgresql || :
	if [ "$user" = '0' ]; then
		find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
		find /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
	fi
}

wants_help() {
	local arg
	for arg; do
		case "$arg" in
			-'?'|--help|-V|--version) return 0 ;;
		esac
	done
	return 1
}

_main() {
	if [ "${1:0:1}" = '-' ]; then
		set -- postgres "$@"
	fi
	if [ "$1" = 'postgres' ] && ! wants_help "$@"; then
		prepare_directories
		if [ "$(id -u)" = '0' ]; then
			exec gosu postgres "$BASH_SOURCE" "$@"
		fi
		if [ ! -s "$PGDATA/PG_VERSION" ]; then
			initdb --username="${POSTGRES_USER:-postgres}" -D "$PGDATA"
			printf 'host all all all md5\n' >> "$PGDATA/pg_hba.conf"
		fi
	fi
	exec "$@"
}

if [ "${FUNCNAME[0]}" != 'source' ]; then
	_main "$@"
fi
