#!/bin/sh
# Two services: the one that ends first ends both.
set -m
conf=/tmp/dnsmasq.conf
: > $conf
for pair in ${HOSTS:-}; do
	echo "address=/${pair%%=*}/${pair#*=}" >> $conf
done
[ "$(uname -m)" = x86_64 ] && webproc --port 8080 -c $conf -- dnsmasq --no-daemon &
dnsmasq --test --conf-file=$conf 2>&1 | logger -t dnsmasq -p daemon.info
trap "kill 0" EXIT
crond -b -L /dev/stderr
wait
