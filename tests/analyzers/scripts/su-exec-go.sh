#!/bin/sh
set -eu
umask 027
addgroup -S -g "${GID:-1000}" app 2>/dev/null || true
adduser -S -D -H -u "${UID:-1000}" -G app app 2>/dev/null || true
mkdir -p /data/cache
chown -R "${UID:-1000}:${GID:-1000}" /data
[ "${TZ:-}" ] && [ -f "/usr/share/zoneinfo/$TZ" ] && cp "/usr/share/zoneinfo/$TZ" /etc/localtime
sysctl -w net.core.somaxconn=1024 >/dev/null 2>&1 || :
exec su-exec "${UID:-1000}:${GID:-1000}" tini -- gateway --config "${CONFIG:=/etc/gateway.yml}" "$@"
