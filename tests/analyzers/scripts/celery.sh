#!/usr/bin/env bash
set -e
cd /srv/app
role=${CONTAINER_ROLE:-web}
LOGLEVEL=${CELERY_LOGLEVEL:-info}
case "$role" in
  web)
    exec uvicorn app.main:app --host 0.0.0.0
    ;;
  worker)
    exec celery -A app worker -l "$LOGLEVEL" --concurrency "$(getconf _NPROCESSORS_ONLN)"
    ;;
  beat)
    rm -f /tmp/celerybeat.pid
    exec celery -A app beat --pidfile=/tmp/celerybeat.pid
    ;;
  flower)
    sleep "${FLOWER_DELAY:-5}" && exec celery -A app flower
    ;;
  shell)
    exec python
    ;;
  *)
    echo "unknown role $role" >&2
    exit 64
    ;;
esac
