#!/bin/sh
set -e
# a pid file that is left over is no server
rm -f /usr/local/apache2/logs/httpd.pid
exec httpd -DFOREGROUND "$@"
