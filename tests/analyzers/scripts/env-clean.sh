#!/bin/sh
set -e
keep="PATH=$PATH HOME=/tmp LANG=${LANG:-C.UTF-8}"
for name in $(printenv | sed -n 's/^APP_\([A-Z_]*\)=.*/\1/p'); do
    eval "value=\$APP_$name"
    keep="$keep $name=$value"
done
cd /srv/clean
exec env -i $keep setsid stdbuf -oL ./bin/launch "$@"
