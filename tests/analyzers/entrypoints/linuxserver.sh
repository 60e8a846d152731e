#!/bin/bash
PUID=${PUID:-911}
groupmod -o -g "$PUID" app
usermod -o -u "$PUID" app
chown app:app /config
exec s6-setuidgid app /app/server --pid-file=/run/app.pid
