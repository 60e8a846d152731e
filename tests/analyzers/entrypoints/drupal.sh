#!/bin/sh
set -e
mkdir -p sites/default/files
chown -R www-data:www-data sites/default/files
exec docker-php-entrypoint "$@"
