#!/bin/bash
set -e
name="app-$(hostname -s | tr 'A-Z' 'a-z')-$(date "+%s" | cut -c "$(expr 1 + 1)"-)"
old=`stat -c "%U" \`readlink -f /etc/conf\``
echo "user: ${APP_USER:-$(getent passwd 1000 | cut -d: -f1)} ${old%%"$(uname -n)"}" \
     "and $((1 + $(nproc --all)))" "$(
	# a comment with ' a quote and ) a bracket
	case x in x) lscpu ;; esac
)"
: "${SECRET:="$(head -c 16 /dev/urandom | base64 -w0)"}"
array=( $(lsblk -n) "$(vmstat 1 1)" )
array[$(od -An -N1 /dev/null | wc -w)]=x
[[ -e /etc/conf && $(<"/etc/conf") == *"$(tty)"* ]] || arch
cat <<EOF | tee "/tmp/$(whoami)" >/dev/null
$(df -h) \$(not-a-command) `free`
EOF
exec -a "$name" appd "${array[@]}"
