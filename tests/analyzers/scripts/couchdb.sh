#!/bin/bash
set -e
if [ "${1#-}" != "$1" ]; then
	set -- /opt/couchdb/bin/couchdb "$@"
fi
if [ "$1" = '/opt/couchdb/bin/couchdb' ]; then
	if [ "$(id -u)" = '0' ]; then
		find /opt/couchdb \! \( -user app -group app \) -exec chown -f app:app '{}' +
		find /opt/couchdb/data -type d ! -perm 0755 -print0 | xargs -0 --no-run-if-empty chmod -f 0755
	fi
	if ! grep "PYTHONPATH" /opt/couchdb/etc/vm.args > /dev/null; then
		echo "-setcookie '${COUCHDB_ERLANG_COOKIE}'" >> /opt/couchdb/etc/vm.args
	fi
	if [ "$COUCHDB_USER" ] && [ "$COUCHDB_PASSWORD" ]; then
		if ! grep -Pzoqr "\[admins\]\n$COUCHDB_USER =" /opt/couchdb/etc/local.d/*.ini; then
			printf "\n[admins]\n%s = %s\n" "$COUCHDB_USER" "$COUCHDB_PASSWORD" >> /opt/couchdb/etc/local.d/docker.ini
		fi
	fi
	if [ "$(id -u)" = '0' ]; then
		export HOME=$(echo ~app)
		exec setpriv --reuid=app --regid=app --clear-groups "$@"
	fi
fi
exec "$@"
