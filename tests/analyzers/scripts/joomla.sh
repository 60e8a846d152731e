#!/bin/bash
set -e
if [ -n "$JOOMLA_DB_PASSWORD_FILE" ] && [ -f "$JOOMLA_DB_PASSWORD_FILE" ]; then
	JOOMLA_DB_PASSWORD=$(cat "$JOOMLA_DB_PASSWORD_FILE")
fi
joomla_log() {
	local ESC=$'\033'
	echo "$ESC[1m$(date) $1$ESC[0m"
}
if [[ "$1" == apache2* ]] || [ "$1" == php-fpm ]; then
	if ! [ -e index.php ]; then
		joomla_log "copying"
		if [ "$(ls -A)" ]; then
			( set -x; ls -A; sleep 10 )
		fi
		tar cf - --one-file-system -C /usr/src/joomla . | tar xf -
		if [ ! -e .htaccess ]; then
			sed -E 's/RewriteBase.*/x/' htaccess.txt > .htaccess || true
			chown www-data:www-data .htaccess
		fi
	fi
	TERM=dumb php /makedb.php "$JOOMLA_DB_HOST" "$JOOMLA_DB_PASSWORD"
	TERM=dumb php -- "$JOOMLA_DB_HOST" <<'EOPHP'
<?php
$stderr = fopen('php://stderr', 'w');
list($host, $socket) = explode(':', $argv[1], 2);
exec("not-a-command");
EOPHP
fi
exec "$@"
