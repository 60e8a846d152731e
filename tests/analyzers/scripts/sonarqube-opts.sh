#!/usr/bin/env bash
set -euo pipefail
declare -a sq_opts=()
set_prop_from_deprecated_env_var() {
  if [ "$2" ]; then
    sq_opts+=("-D$1=$2")
  fi
}
if [ "${1:0:1}" = '-' ]; then
  set -- "/usr/lib/jvm/bin/java" -jar lib/sonarqube.jar -Dsonar.log.console=true "$@"
fi
if [[ "$1" = '/usr/lib/jvm/bin/java' ]]; then
  while IFS='=' read -r envvar_key envvar_value; do
    if [[ "$envvar_key" =~ sonar.* ]] || [[ "$envvar_key" =~ ldap.* ]]; then
      sq_opts+=("-D${envvar_key}=${envvar_value}")
    fi
  done < <(env)
  set_prop_from_deprecated_env_var "sonar.jdbc.username" "${SONARQUBE_JDBC_USERNAME:-}"
  if [ ${#sq_opts[@]} -ne 0 ]; then
    set -- "$@" "${sq_opts[@]}"
  fi
fi
exec "$@"
