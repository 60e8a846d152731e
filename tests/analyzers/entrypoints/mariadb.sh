#!/bin/bash
set -eo pipefail
: "${DATADIR:=/var/lib/mysql}"
if [ "${1:0:1}" = '-' ]; then set -- mariadbd "$@"; fi
if [ "$1" = 'mariadbd' ]; then
	if [ "$(id -u)" = "0" ]; then
		mkdir -p "$DATADIR" /run/mysqld
		chown -R mysql:mysql "$DATADIR" /run/mysqld
		exec gosu mysql "${BASH_SOURCE[0]}" "$@"
	fi
	args=(mariadb-install-db --datadir="$DATADIR" --rpm)
	[ -d "$DATADIR/mysql" ] || "${args[@]}" --skip-test-db
fi
exec "$@"
