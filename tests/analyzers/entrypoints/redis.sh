#!/bin/sh
set -e
# an option or a configuration file alone means the server
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
	set -- redis-server "$@"
fi
if [ "$1" = 'redis-server' ] && [ "$(id -u)" = '0' ]; then
	find . \! -user redis -exec chown redis '{}' +
	exec gosu redis "$0" "$@"
fi
mask="$(umask)"
if [ "$mask" = '0022' ]; then
	umask 0077
fi
exec "$@"
