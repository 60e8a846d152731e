#!/bin/bash
if (( EUID == 0 )); then
    install -d -o app -g app -m 0750 /srv/state
    exec setpriv --reuid=app --init-groups "$@"
fi
