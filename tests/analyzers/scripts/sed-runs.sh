#!/bin/sh
set -e
sed -n 's/^run \(.*\)/\1/p' /etc/tasks
printf 'hostid\n' | sed -e '1e hostname' | sed 's/^/arch -/e' > /tmp/out
awk -F: '{ cmd = "sha256sum " $1; while ((cmd | getline line) > 0) print line; close(cmd) }' /etc/list
awk '{ print | "sort -u" }' /etc/list
gawk -f /usr/share/report/report.awk /etc/list
perl -e 'print 1'
exec reportd
