#!/bin/bash
set -eo pipefail
shopt -s nullglob

mysql_log() {
	local type="$1"; shift
	local text="$*"; if [ "$#" -eq 0 ]; then text="$(cat)"; fi
	printf '%s [%s] %s\n' "$(date --rfc-3339=seconds)" "$type" "$text"
}
mysql_note() { mysql_log Note "$@"; }
mysql_error() { mysql_log ERROR "$@" >&2; exit 1; }

docker_process_init_files() {
	mysql=( docker_process_sql )
	local f
	for f; do
		case "$f" in
			*.sh)
				if [ -x "$f" ]; then "$f"; else . "$f"; fi
				;;
			*.sql)     docker_process_sql < "$f" ;;
			*.sql.gz)  gunzip -c "$f" | docker_process_sql ;;
			*.sql.xz)  xzcat "$f" | docker_process_sql ;;
			*.sql.zst) zstd -dc "$f" | docker_process_sql ;;
			*)         mysql_note "ignoring $f" ;;
		esac
	done
}

docker_process_sql() {
	mariadb --protocol=socket -uroot -hlocalhost --socket="${SOCKET}" "$@"
}

docker_temp_server_start() {
	"$@" --skip-networking --socket="${SOCKET}" &
	declare -g MARIADB_PID
	MARIADB_PID=$!
	local i
	for i in {30..0}; do
		if docker_process_sql --database=mysql <<<'SELECT 1' &> /dev/null; then
			break
		fi
		sleep 1
	done
	if [ "$i" = 0 ]; then
		mysql_error "Unable to start server."
	fi
}

docker_setup_db() {
	if [ -z "$MARIADB_INITDB_SKIP_TZINFO" ]; then
		mariadb-tzinfo-to-sql /usr/share/zoneinfo | docker_process_sql --database=mysql
	fi
	if [ -n "$MARIADB_RANDOM_ROOT_PASSWORD" ]; then
		MARIADB_ROOT_PASSWORD="$(pwgen --numerals --capitalize --symbols --remove-chars="'\\" -1 32)"
		export MARIADB_ROOT_PASSWORD
	fi
	docker_process_sql --database=mysql <<-EOSQL
		SET @@SESSION.SQL_LOG_BIN=0;
		CREATE USER 'root'@'%' IDENTIFIED BY '${MARIADB_ROOT_PASSWORD//\'/}';
	EOSQL
}

_main() {
	if [ "${1:0:1}" = '-' ]; then
		set -- mariadbd "$@"
	fi
	SOCKET=/run/mysqld/mysqld.sock
	DATADIR=/var/lib/mysql
	if [ "$1" = 'mariadbd' ] && [ ! -d "$DATADIR/mysql" ]; then
		mysql_note "Initializing"
		mariadb-install-db --datadir="$DATADIR" --auth-root-authentication-method=normal
		docker_temp_server_start "$@"
		docker_setup_db
		docker_process_init_files /docker-entrypoint-initdb.d/*
		kill "$MARIADB_PID"
		wait "$MARIADB_PID"
	fi
	exec "$@"
}

_is_sourced() {
	[ "${#FUNCNAME[@]}" -ge 2 ] && [ "${FUNCNAME[0]}" = '_is_sourced' ] && [ "${FUNCNAME[1]}" = 'source' ]
}

if ! _is_sourced; then
	_main "$@"
fi
