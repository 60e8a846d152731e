#!/bin/sh
set -e
here=$(cd "$(dirname "$0")" && pwd)
. "$(dirname "$0")/parts/log.sh"
. "$here/parts/db.sh"
log "waiting"
db_wait
"${here}/steps/migrate.sh" up
exec "$here"/steps/run
