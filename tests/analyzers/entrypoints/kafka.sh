#!/usr/bin/env bash
. /etc/app/functions.sh
ensure_writable /var/lib/kafka/data
if [[ -n "${KAFKA_OPTS-}" ]]; then
  export KAFKA_OPTS
fi
echo "===> Launching"
exec kafka-server-start /etc/kafka/server.properties
