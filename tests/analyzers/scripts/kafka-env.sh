#!/usr/bin/env bash
set -o nounset -o errexit
EXCLUSIONS="|KAFKA_VERSION|KAFKA_HOME|KAFKA_DEBUG|"
conf="$KAFKA_HOME/config/server.properties"

updateConfig() {
    key=$1
    value=$2
    file=$3
    echo "[Configuring] '$key' in '$file'"
    if grep -E -q "^#?$key=" "$file"; then
        sed -r -i "s@^#?$key=.*@$key=$value@g" "$file"
    else
        echo "$key=$value" >> "$file"
    fi
}

IFS=$'\n'
for VAR in $(env); do
    env_var=$(echo "$VAR" | cut -d= -f1)
    if [[ "$EXCLUSIONS" = *"|$env_var|"* ]]; then
        continue
    fi
    if [[ $env_var =~ ^KAFKA_ ]]; then
        kafka_name=$(echo "$env_var" | cut -d_ -f2- | tr '[:upper:]' '[:lower:]' | tr _ .)
        updateConfig "$kafka_name" "${!env_var}" "$conf"
    fi
    if [[ $env_var =~ ^LOG4J_ ]]; then
        log4j_name=$(echo "$env_var" | tr '[:upper:]' '[:lower:]' | tr _ .)
        updateConfig "$log4j_name" "${!env_var}" "$KAFKA_HOME/config/log4j.properties"
    fi
done

if [[ -n "${CUSTOM_INIT_SCRIPT-}" ]]; then
    eval "$CUSTOM_INIT_SCRIPT"
fi

create-topics.sh &
unset KAFKA_CREATE_TOPICS
exec "$KAFKA_HOME/bin/kafka-server-start.sh" "$conf"
