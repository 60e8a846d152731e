#!/bin/sh
set -e
mkdir -p /run/app
chown app:app /run/app
exec gosu app "$@"
