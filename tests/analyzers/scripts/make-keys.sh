#!/bin/sh
set -e
ssh-keygen -A
if [ ! -f /etc/app/tls.crt ]; then
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 \
        -subj "/CN=$(hostname -f)" \
        -keyout /etc/app/tls.key -out /etc/app/tls.crt 2>/dev/null
    chmod 0600 /etc/app/tls.key
fi
cp /certs/*.crt /usr/local/share/ca-certificates/ 2>/dev/null && update-ca-certificates --fresh
sed -i "s/# ${LOCALE:=de_DE.UTF-8}/$LOCALE/" /etc/locale.gen && locale-gen
ldconfig
keytool -importcert -noprompt -file /etc/app/tls.crt -keystore /tmp/store
dhparam=/etc/app/dh.pem
test -s "$dhparam" || (umask 077; openssl dhparam -out "$dhparam" 2048)
exec /usr/sbin/sshd -D -e
