#!/bin/bash
set -e
HOST=$(hostname -s)
DOMAIN=$(hostname -d || true)
CLIENT_PORT=2181
function validate_env() {
    if [[ $HOST =~ (.*)-([0-9]+)$ ]]; then
        NAME=${BASH_REMATCH[1]}
        ORD=${BASH_REMATCH[2]}
    else
        NAME=$HOST
        ORD=0
    fi
    MY_ID=$((ORD+1))
}
function print_servers() {
    for (( i=1; i<=${ZOO_REPLICAS:-1}; i++ )); do
        echo "server.$i=$NAME-$((i-1)).$DOMAIN:2888:3888"
    done
}
validate_env
cat > /tmp/zoo.cfg <<EOF
# made at $(date -u)
clientPort=$CLIENT_PORT
dataDir=${ZOO_DATA_DIR:-/data}
$(print_servers | sort -u)
EOF
echo $MY_ID >/data/myid
tee /tmp/log4j.properties >/dev/null <<'EOF'
log=$(not-a-command)
`nor-this`
EOF
exec zkServer.sh start-foreground /tmp/zoo.cfg
