#!/bin/bash
if [ "$DEBUG" == "1" ]; then
  set -x
fi
set -e
cd /etc/openvpn
ARGS=()
USER_ARGS=("${@}")
function addArg {
    local regex="(^| )${1}( |$)"
    if ! [[ "${USER_ARGS[*]}" =~ $regex ]]; then
        ARGS+=("${@}")
    fi
}
function hasArg {
    local element
    for element in "${@:2}"; do
        [ "${element}" == "${1}" ] && return 0
    done
    return 1
}
function setupIptablesAndRouting {
    iptables -t nat -C POSTROUTING -s $OVPN_SERVER -o $OVPN_NATDEVICE -j MASQUERADE || {
      iptables -t nat -A POSTROUTING -s $OVPN_SERVER -o $OVPN_NATDEVICE -j MASQUERADE
    }
    ip -6 route show default 2>/dev/null | grep -q . && echo 6
}
addArg "--config" "/etc/openvpn/openvpn.conf"
source "/etc/openvpn/ovpn_env.sh"
mkdir -p /dev/net
if [ ! -c /dev/net/tun ]; then
    mknod /dev/net/tun c 10 200 || echo "no tun"
fi
if [ -d "ccd" ]; then
    addArg "--client-config-dir" "ccd"
fi
if [ "$OVPN_DEFROUTE" != "0" ] || [ "$OVPN_NAT" == "1" ]; then
    setupIptablesAndRouting || :
fi
if hasArg --genkey "${USER_ARGS[@]}"; then
    easyrsa build-ca nopass
fi
echo "Running 'openvpn ${ARGS[@]} ${USER_ARGS[@]}'"
exec openvpn ${ARGS[@]} ${USER_ARGS[@]}
