#!/bin/bash
set -e
retry() {
	local n=$1
	shift
	for ((; n > 0; n--)); do "$@" && return; sleep 1; done
	return 1
}
as() {
	local who=$1
	shift
	if [ "$(whoami)" = "$who" ]; then "$@"; else sudo -E -u "$who" -- "$@"; fi
}
quiet() { "$@" >/dev/null 2>&1; }
in_dir() (cd "$1" && shift && exec "$@")
retry 2 redis-cli -h cache ping
as app composer install --no-dev
quiet php artisan migrate --force
in_dir /data tree -L 1
export -f retry
bash -c 'retry 1 memcstat'
unset -f quiet
function main { local -; set +e; php-fpm --nodaemonize "$@"; }
main "$@"
