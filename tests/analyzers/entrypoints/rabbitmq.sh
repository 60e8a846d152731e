#!/bin/bash
set -euo pipefail
if [[ "$1" == rabbitmq* ]] && [ "$(id -u)" = '0' ]; then
	if [ "$1" = 'rabbitmq-server' ]; then
		find /var/lib/rabbitmq \! -user rabbitmq -exec chown rabbitmq '{}' +
	fi
	exec gosu rabbitmq "$BASH_SOURCE" "$@"
fi
conf="/etc/rabbitmq/conf.d/10-defaults.conf"
if [ -n "${RABBITMQ_DEFAULT_USER:-}" ]; then
	echo "default_user = $RABBITMQ_DEFAULT_USER" >> "$conf"
fi
exec "$@"
