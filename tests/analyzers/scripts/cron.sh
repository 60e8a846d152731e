#!/bin/bash
set -e
printenv | grep -v -E '^(HOME|PWD|SHLVL)=' >> /etc/environment
echo "${CRON_SCHEDULE:-0 3 * * *} root /usr/local/bin/backup.sh > /proc/1/fd/1 2>&1" > /tmp/job
{ echo "SHELL=/bin/bash"; cat /tmp/job; } | crontab -
if [ "${RUN_ON_START:-}" = yes ]; then
	/usr/local/bin/backup.sh
fi
touch /var/log/cron.log
tail -F /var/log/cron.log &
exec cron -f -l 2
