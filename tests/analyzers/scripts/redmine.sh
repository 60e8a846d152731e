#!/usr/bin/env bash
set -Eeo pipefail

isLikelyRedmine=
case "$1" in
	rails | rake ) isLikelyRedmine=1 ;;
esac

_fix_permissions() {
	local dirs=( config log public/plugin_assets tmp ) args=()
	if [ "$(id -u)" = '0' ]; then
		args+=( ${args[@]:+,} '(' '!' -user app -exec chown app:app '{}' + ')' )
	fi
	args+=( -o '(' -type d '!' -perm 755 -exec sh -c 'chmod 755 "$@" 2>/dev/null || :' -- '{}' + ')' )
	find "${dirs[@]}" "${args[@]:1}"
}

if [ -n "$isLikelyRedmine" ]; then
	_fix_permissions || :
	if [ "$(id -u)" = '0' ]; then
		exec gosu app "$BASH_SOURCE" "$@"
	fi
	if [ ! -f './config/database.yml' ]; then
		for adapter in mysql2 postgresql sqlserver sqlite3; do
			adapter_cap="${adapter^^}"
			gem="$(ruby -e 'puts ARGV[0]' "$adapter")"
		done
		cat > ./config/database.yml <<-YML
			production:
			  adapter: $(printf '%s' "$adapter")
		YML
	fi
	bundle check || bundle install
	if [ -z "$REDMINE_NO_DB_MIGRATE" ]; then
		rake db:migrate
	fi
	rm -f tmp/pids/server.pid
	if [ "$1" != 'rake' -a -x "$(command -v passenger)" ]; then
		set -- passenger start
	fi
fi
exec "$@"
