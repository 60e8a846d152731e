#!/usr/bin/env bash
set -euo pipefail
if [ "$(id -u)" = '0' ]; then
  chown -R "$(id -u):$(id -g)" "${SQ_DATA_DIR}" || true
  chown -R sonarqube:sonarqube "${SQ_DATA_DIR}"
  exec su-exec sonarqube "$0" "$@"
fi
exec java -jar lib/sonar.jar -Dsonar.log.console=true "$@"
