#!/bin/bash
set -e
run_directory() {
	local dir=$1 f
	[ -d "$dir" ] || return 0
	for f in "$dir"/*; do
		case "$f" in
			*.envsh) [ -x "$f" ] && . "$f" ;;
			*.sh)
				if [ -x "$f" ]; then
					"$f"
				else
					. "$f"
				fi
				;;
			*.py) python3 "$f" ;;
			*) echo "ignoring $f" ;;
		esac
	done
}
run_directory /etc/entrypoint.d
run_directory "${EXTRA_DIR:-/etc/entrypoint.extra}"
exec "$@"
