#!/bin/sh
if [ "$(id -u)" -ne 0 ]; then
    echo "run it as root" >&2
    exit 1
fi
service cron start
exec "$@"
