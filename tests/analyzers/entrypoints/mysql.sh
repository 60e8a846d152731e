#!/bin/bash
set -eo pipefail
shopt -s nullglob

is_root() {
	[ "$(id -u)" = "0" ]
}

create_dirs() {
	local SOCKET=/var/run/mysqld/mysqld.sock
	mkdir -p -- "$DATADIR" "${SOCKET%/*}"
	if is_root; then
		find "$DATADIR" \! -user mysql -exec chown --no-dereference mysql '{}' +
		find "${SOCKET%/*}" -maxdepth 0 \! -user mysql -exec chown mysql '{}' \;
	fi
}

main() {
	if [ "$1" = 'mysqld' ]; then
		declare -g DATADIR=/var/lib/mysql
		create_dirs
		if is_root; then
			echo >&2 "Switching to the user mysql"
			exec gosu mysql "$BASH_SOURCE" "$@"
		fi
		if [ ! -d "$DATADIR/mysql" ]; then
			"$@" --initialize-insecure --datadir="$DATADIR"
		fi
	fi
	exec "$@"
}
main "$@"
