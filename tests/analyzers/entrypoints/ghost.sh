#!/bin/bash
set -e
if [[ "$*" == node*current/index.js* ]] && [ "$(id -u)" = '0' ]; then
	find "$GHOST_CONTENT" \! -user node -exec chown node '{}' +
	exec gosu node "$BASH_SOURCE" "$@"
fi
if [[ "$*" == node*current/index.js* ]]; then
	for src in "$GHOST_INSTALL"/content.orig/*/; do
		target="$GHOST_CONTENT/${src#$GHOST_INSTALL/content.orig/}"
		mkdir -p "$target"
	done
fi
exec "$@"
