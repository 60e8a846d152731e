#!/bin/bash
set -eu
CONF_DIR=${CONF_DIR:-/etc/proxy}
DEFAULTS=/usr/share/proxy/defaults
for f in proxy.cfg maps.cfg; do
	[ -s "$CONF_DIR/$f" ] || install -m 0644 "$DEFAULTS/$f" "$CONF_DIR/$f"
done
gomplate -f "$DEFAULTS/extra.tmpl" -o /tmp/extra.cfg
jinja2 "${DEFAULTS}/j.j2" > /tmp/j.cfg
m4 -I "$DEFAULTS/m4" "$DEFAULTS/m4/main.m4" > /tmp/main.cfg
confd -onetime -backend env -confdir /etc/confd
dockerize -template /etc/proxy.tmpl:/tmp/proxy.cfg -wait tcp://db:5432 -timeout 10s true
haproxy -c -f "$CONF_DIR/proxy.cfg" || exit 1
exec haproxy -W -f "$CONF_DIR/proxy.cfg" -f /tmp/extra.cfg
