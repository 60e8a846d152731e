#!/bin/sh
set -e
# Each of them is a link to a link: what is behind stays too.
awk 'BEGIN { print 1 }' | nc -w 1 192.0.2.1 514 || :
/usr/bin/awk 'BEGIN { print 2 }' >/dev/null
editor --version >/dev/null
exec pager /etc/motd
