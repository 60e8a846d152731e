#!/bin/sh
set -e
tool=$(cat /etc/tool)
"$tool" --init
$PRE_START
. "$EXTRA_LIB"
sh -c "$POST_START"
exec "$@"
