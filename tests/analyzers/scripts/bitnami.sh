#!/bin/bash
# shellcheck disable=SC1091
set -o errexit
set -o nounset
set -o pipefail

. /opt/bitnami/scripts/redis-env.sh
. /opt/bitnami/scripts/libbitnami.sh
. "${BITNAMI_ROOT_DIR:-/opt/bitnami}/scripts/libredis.sh"

print_welcome_page

if ! is_dir_empty "$REDIS_DEFAULT_CONF_DIR"; then
    cp -nr "$REDIS_DEFAULT_CONF_DIR"/. "$REDIS_CONF_DIR"
fi

if [[ "$*" = *"/opt/bitnami/scripts/redis/run.sh"* || "$*" = *"/run.sh"* ]]; then
    info "** Starting setup **"
    /opt/bitnami/scripts/redis/setup.sh
    info "** Setup finished! **"
fi

echo ""
exec "$@"
