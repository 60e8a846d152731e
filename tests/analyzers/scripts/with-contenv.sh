#!/usr/bin/with-contenv bash
# shellcheck shell=bash
PUID=${PUID:-911}
PGID=${PGID:-911}
if [[ -z ${LSIO_READ_ONLY_FS} ]]; then
    groupmod -o -g "$PGID" app
    usermod -o -u "$PUID" app
fi
cat <<-EOF
	User UID:    $(id -u app)
	User GID:    $(id -g app)
EOF
for file in /defaults/*; do
    name=$(basename "$file")
    [[ -e "/data/$name" ]] || cp "$file" "/data/$name"
done
lsiown -R app:app /data
if [[ -d /custom-cont-init.d ]] && [[ -n "$(/bin/ls -A /custom-cont-init.d/ 2>/dev/null)" ]]; then
    for SCRIPT in /custom-cont-init.d/*; do
        if [[ -f "${SCRIPT}" ]]; then
            /bin/bash "${SCRIPT}"
        fi
    done
fi
exec s6-notifyoncheck -d -n 300 -w 1000 s6-setuidgid app /app/bin/daemon --nobrowser
