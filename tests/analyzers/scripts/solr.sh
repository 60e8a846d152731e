#!/bin/bash
set -e
if [[ "${VERBOSE:-}" == "yes" ]]; then set -x; fi
if ! [[ ${SOLR_PORT:-} =~ ^[0-9]*$ ]]; then
  SOLR_PORT=8983
fi
/opt/solr/docker/scripts/init-var-solr
if [ "$#" -eq 0 ] || [ "${1:0:1}" = '-' ]; then
    set -- solr-foreground "$@"
fi
if [[ "$1" == "solr-"* ]]; then
  . /opt/solr/docker/scripts/run-initdb
fi
exec "$@"
