#!/usr/bin/env bash
set -euo pipefail
shopt -s extglob

cmd_serve() { exec uwsgi --ini /etc/uwsgi.ini "$@"; }
cmd_worker() { exec rq worker --url "$REDIS_URL" "$@"; }
cmd_migrate() { alembic upgrade head; }
cmd_shell() { exec ipython "$@"; }
cmd_help() {
	declare -F | awk '$3 ~ /^cmd_/ { sub("cmd_", "", $3); print $3 }' | column
}

action=${1:-serve}
if [[ $(type -t "cmd_${action}") == function ]]; then
	shift || true
	"cmd_${action}" "$@"
else
	exec "$@"
fi
