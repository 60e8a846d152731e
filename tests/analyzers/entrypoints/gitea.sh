#!/bin/sh
if [ "${USER}" != "git" ]; then
    sed -i -e "s/^git\:/${USER}\:/g" /etc/passwd
fi
for FOLDER in /data/gitea/conf /data/gitea/log /data/git; do
    mkdir -p ${FOLDER}
done
if [ $# -gt 0 ]; then
    exec "$@"
else
    exec /bin/s6-svscan /etc/s6
fi
