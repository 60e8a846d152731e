#!/bin/ash
set -e
ip=$(hostname -i 2>/dev/null | awk '{print $1}')
cat /etc/app/app.conf.tpl | sed -e "s/@IP@/${ip:-127.0.0.1}/" -e "s/@HOST@/$(hostname)/" > /tmp/app.conf
if busybox test -s /tmp/app.conf; then
    busybox cp /tmp/app.conf /tmp/app.conf.bak
fi
/bin/busybox chmod 0640 /tmp/app.conf
[ -d /docker-init ] && for f in $(find /docker-init -name '*.ash' | sort); do
    source "$f"
done
exec env -u SECRET PATH="/opt/app/bin:$PATH" ashd -c /tmp/app.conf
