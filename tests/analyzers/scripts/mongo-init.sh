#!/bin/bash
set -Eeuo pipefail

if [ "${1:0:1}" = '-' ]; then
	set -- mongod "$@"
fi

file_env() {
	local var="$1"
	local fileVar="${var}_FILE"
	local def="${2:-}"
	if [ "${!var:-}" ] && [ "${!fileVar:-}" ]; then
		echo >&2 "error: both $var and $fileVar are set"
		exit 1
	fi
	local val="$def"
	if [ "${!var:-}" ]; then
		val="${!var}"
	elif [ "${!fileVar:-}" ]; then
		val="$(< "${!fileVar}")"
	fi
	export "$var"="$val"
	unset "$fileVar"
}

_have_value() {
	local wanted="$1"; shift
	local arg
	for arg; do
		case "$arg" in
			"$wanted"|"$wanted"=*) return 0 ;;
		esac
	done
	return 1
}

_without() {
	mongodHackedArgs=()
	local arg
	for arg; do
		[ "$arg" = '--auth' ] || mongodHackedArgs+=( "$arg" )
	done
}

_js_escape() {
	jq --null-input --arg 'str' "$1" '$str'
}

if [ "$1" = 'mongod' ]; then
	file_env 'MONGO_INITDB_ROOT_USERNAME'
	file_env 'MONGO_INITDB_ROOT_PASSWORD'
	if [ -n "${MONGO_INITDB_ROOT_USERNAME:-}" ]; then
		keyfile="${TMPDIR:-/tmp}/keyfile"
		openssl rand -base64 756 > "$keyfile"
		chmod 600 "$keyfile"
		_without "$@"
		mongo=( mongosh )
		if ! command -v mongosh > /dev/null; then
			mongo=( mongo )
		fi
		mongo+=( --host 127.0.0.1 --port 27017 --quiet )
		"${mongodHackedArgs[@]}" --keyFile "$keyfile" --fork --logpath "/proc/$$/fd/1"
		tries=3
		while ! "${mongo[@]}" admin --eval 'quit(0)' &> /dev/null; do
			(( tries-- )) || exit 1
			sleep 1
		done
		"${mongo[@]}" admin <<-EOJS
			db.createUser({ user: $(_js_escape "$MONGO_INITDB_ROOT_USERNAME") })
		EOJS
		for f in /docker-entrypoint-initdb.d/*; do
			case "$f" in
				*.sh) echo "$0: running $f"; . "$f" ;;
				*.js) echo "$0: running $f"; "${mongo[@]}" test "$f" ;;
				*)    echo "$0: ignoring $f" ;;
			esac
		done
		"${mongodHackedArgs[@]}" --shutdown
		rm -f "$keyfile"
	fi
	unset "${!MONGO_INITDB_@}"
fi
exec "$@"
