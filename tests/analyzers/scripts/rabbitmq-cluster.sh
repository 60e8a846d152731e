#!/bin/bash
set -eu
deprecatedEnvVars=(
	RABBITMQ_DEFAULT_PASS_FILE
	RABBITMQ_SSL_CACERTFILE
)
hasOldEnv=
for old in "${deprecatedEnvVars[@]}"; do
	if [ -n "${!old:-}" ]; then
		echo >&2 "error: $old is set but deprecated"
		hasOldEnv=1
	fi
done
if [ -n "$hasOldEnv" ]; then exit 1; fi
if [ "${RABBITMQ_ERLANG_COOKIE:-}" ]; then
	cookieFile='/data/.erlang.cookie'
	if [ -e "$cookieFile" ]; then
		if [ "$(cat "$cookieFile" 2>/dev/null)" != "$RABBITMQ_ERLANG_COOKIE" ]; then
			echo >&2 "warning: $cookieFile does not match"
		fi
	else
		echo "$RABBITMQ_ERLANG_COOKIE" > "$cookieFile"
	fi
	chmod 600 "$cookieFile"
fi
combinedSsl="${TMPDIR:-/tmp}/combined.pem"
if [ -n "${RABBITMQ_COMBINE:-}" ]; then
	{ cat /etc/rabbitmq/cert.pem; cat /etc/rabbitmq/key.pem; } > "$combinedSsl"
	sslErlArgs="$(erl -noinput -eval 'io:format("x")')"
	export ERL_SSL_PATH="$sslErlArgs"
fi
( rabbitmqctl wait --timeout 60 /data/rabbit.pid && rabbitmqctl set_policy x y ) &
if [[ "${1:-}" == rabbitmq* ]]; then
	ulimit -n 1024
fi
exec "$@"
