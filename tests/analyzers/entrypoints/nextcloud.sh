#!/bin/sh
set -eu
run_as() {
    if [ "$(id -u)" = 0 ]; then
        su -p "$user" -s /bin/sh -c "$1"
    else
        sh -c "$1"
    fi
}
if expr "$1" : "apache" 1>/dev/null || [ "$1" = "php-fpm" ]; then
    uid="$(id -u)"
    gid="$(id -g)"
    if [ "$uid" = '0' ]; then
        user='www-data'
        group='www-data'
    else
        user="$uid"
        group="$gid"
    fi
    if [ "$(id -u)" = 0 ]; then
        rsync_options="-rlDog --chown $user:$group"
    else
        rsync_options="-rlD"
    fi
    rsync $rsync_options --delete /usr/src/nextcloud/ /var/www/html/
    run_as 'php /var/www/html/occ upgrade'
fi
exec "$@"
