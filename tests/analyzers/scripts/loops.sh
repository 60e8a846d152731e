#!/bin/bash
set -o pipefail
mapfile -t hosts < <(getent ahosts "${PEER:-db}" | cut -d' ' -f1 | uniq)
for ((i = 0; i < ${#hosts[@]}; i++)); do
	ping -c1 -W1 "${hosts[i]}" &>/dev/null && alive=${hosts[i]}
done
until mysqladmin ping -h "${alive:-db}" --silent; do
	((++tries > 2)) && { echo "gave up after $tries" | mail -s down root; break; }
	sleep 1
done
select_line() { nl -ba "$1" | tail -n +"$2" | head -n1; }
line=$(select_line /etc/plan 1)
time xz -t /srv/seed.xz
if ! diff -q /etc/plan <(tac /etc/plan) >/dev/null; then
	paste -d, /etc/plan <(rev </etc/plan) | tee >(sha1sum >/tmp/sum) >/dev/null
fi
select x in a; do break; done </dev/null
! grep -q never /etc/plan
[[ $(stat -c %s /etc/plan) -gt 0 && -n $line ]] && exec planner --plan /etc/plan
