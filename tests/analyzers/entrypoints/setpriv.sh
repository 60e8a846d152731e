#!/bin/bash
set -e
(( EUID )) || { chown -R app: /srv/state; exec setpriv --reuid=app --regid=app --init-groups -- "$0" "$@"; }
tee /srv/state/env < /dev/null
exec "$@" --socket=/run/app/app.sock
