#!/usr/bin/env bash
: "${JENKINS_HOME:="/var/jenkins_home"}"
touch "${COPY_REFERENCE_FILE_LOG:="$JENKINS_HOME/copy_reference_file.log"}" || { echo "Can not write"; exit 1; }
if [[ $# -lt 1 ]] || [[ "$1" == "--"* ]]; then
  exec java -Duser.home="$JENKINS_HOME" -jar /usr/share/jenkins/jenkins.war "$@"
fi
exec "$@"
