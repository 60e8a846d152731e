#!/bin/sh
find /srv/web -type d -exec chmod 0755 {} + -o -type f -exec chgrp www-data {} \;
find /srv/web -name '*.js' -newer /srv/web/stamp -execdir gzip -kf9 {} \;
find /srv/web -name '*.css' -exec sh -c '
    for f; do
        brotli -f "$f"
        if cmp -s "$f" "$f.br"; then rm "$f.br"; fi
    done
' sh {} +
find /srv/web/hooks -type f -perm -u+x | sort -V | xargs -r -n 1 -I % timeout -k 5 60 %
find /srv/web -name '*.po' -print0 | xargs -0 -P "$(nproc)" -I{} msgfmt {} -o {}.mo
printf '%s\n' a b | xargs -n1 sh -c 'mkfifo "/tmp/$0"'
exec lighttpd -D -f /srv/web/lighttpd.conf
