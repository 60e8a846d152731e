#!/bin/bash
set -euo pipefail
declare -A settings=(
	[myhostname]="${POSTFIX_HOSTNAME:-mail.local}"
	[mynetworks]="127.0.0.0/8"
	[maillog_file]=/dev/stdout
)
for key in "${!settings[@]}"; do
	postconf -e "$key = ${settings[$key]}"
done
while IFS='=' read -r name value; do
	case $name in
	POSTFIX_main_*) postconf -e "${name#POSTFIX_main_} = $value" ;;
	esac
done < <(env)
for map in /etc/postfix/maps/*.map; do
	[ -e "$map" ] || continue
	postmap "lmdb:$map"
done
if [[ ! -s /etc/aliases.db ]]; then
	newaliases
fi
[ -f /etc/opendkim.conf ] && opendkim -x /etc/opendkim.conf
trap 'postfix stop; exit 0' TERM INT
rm -f /var/spool/postfix/pid/master.pid
exec /usr/sbin/postfix start-fg
