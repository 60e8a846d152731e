#!/bin/bash
set -e
export PATH="/opt/tool/bin:$PATH"
prepare --quiet
PATH=$PATH:/opt/extra/bin
(
	PATH="/opt/sub/bin"
	export PATH
	subtool
)
OLD=$PATH PATH=/opt/one/bin:$PATH onetool
hash -r
if command -v lateral >/dev/null; then lateral; fi
. /opt/env.sh
exec venvtool run
