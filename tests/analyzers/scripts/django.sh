#!/bin/sh
set -o errexit
set -o pipefail
set -o nounset
until nc -z "${POSTGRES_HOST:-db}" "${POSTGRES_PORT:-5432}"; do
  >&2 echo 'Waiting for PostgreSQL to become available...'
  sleep 1
done
python manage.py migrate --noinput
python manage.py collectstatic --noinput --clear
if [ "${DJANGO_SUPERUSER_USERNAME:-}" ]; then
  python manage.py createsuperuser --noinput || true
fi
exec gunicorn config.wsgi:application --bind 0.0.0.0:8000 --workers "${WEB_CONCURRENCY:-$(nproc)}"
