#!/bin/sh
set -eu

version_greater() {
    [ "$(printf '%s\n' "$@" | sort -t '.' -n -k1,1 -k2,2 -k3,3 -k4,4 | head -n 1)" != "$1" ]
}

directory_empty() {
    [ -z "$(ls -A "$1/")" ]
}

run_as() {
    if [ "$(id -u)" = 0 ]; then
        su -p www-data -s /bin/sh -c "$1"
    else
        sh -c "$1"
    fi
}

run_path() {
    hook_folder_path="/docker-entrypoint-hooks.d/$1"
    if ! [ -d "${hook_folder_path}" ] || directory_empty "${hook_folder_path}"; then
        return 0
    fi
    find "${hook_folder_path}" -maxdepth 1 -iname '*.sh' '(' -type f -o -type l ')' -print | sort | (
        while read -r script_file_path; do
            if ! [ -x "${script_file_path}" ]; then
                echo "skipped ${script_file_path}"
                continue
            fi
            run_as "${script_file_path}" || exit 1
        done
    )
}

installed_version="0.0.0.0"
if [ -f /var/www/html/version.php ]; then
    installed_version="$(php -r 'require "/var/www/html/version.php"; echo implode(".", $OC_Version);')"
fi
image_version="$(php -r 'require "/usr/src/nextcloud/version.php"; echo implode(".", $OC_Version);')"

if version_greater "${image_version:-1.0.0.0}" "$installed_version"; then
    (
        if ! flock -n 9; then
            flock 9
        fi
        rsync -rlDog --chown www-data:www-data --delete --exclude-from=/upgrade.exclude /usr/src/nextcloud/ /var/www/html/
        run_path pre-installation
        if [ -n "${NEXTCLOUD_ADMIN_USER+x}" ]; then
            max_retries=2
            try=0
            until run_as 'php /var/www/html/occ maintenance:install' || [ "$try" -gt "$max_retries" ]; do
                sleep 10
                try=$((try+1))
            done
        fi
        run_path post-installation
    ) 9> /tmp/nextcloud-init-sync.lock
fi
exec "$@"
