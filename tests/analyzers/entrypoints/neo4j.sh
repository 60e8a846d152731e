#!/bin/bash -eu
running_as_root() { test "$(id -u)" = "0"; }
secure_mode_enabled() { test "${SECURE_FILE_PERMISSIONS:=no}" = "yes"; }
if running_as_root; then
    userid="neo4j"
    groupid="neo4j"
    exec_cmd="exec gosu neo4j:neo4j"
else
    userid="$(id -u)"
    groupid="$(id -g)"
    exec_cmd="exec"
fi
readonly userid groupid exec_cmd
if running_as_root; then
    chown -R "${userid}":"${groupid}" "${NEO4J_HOME}"
    chmod 700 "${NEO4J_HOME}"
fi
if [ "${1}" == "neo4j" ]; then
    ${exec_cmd} neo4j console
else
    ${exec_cmd} "$@"
fi
