#!/bin/bash
set -eu
declare -A handlers=(
	[web]=start_web
	[jobs]=start_jobs
)
handlers[clock]=start_clock
start_web() { exec puma -C config/puma.rb; }
start_jobs() { exec sidekiq -q default; }
start_clock() { exec clockwork clock.rb; }
handler=${handlers[${ROLE:-web}]:-}
if [[ -z $handler ]]; then
	printf 'no role %q\n' "$ROLE" >&2
	exit 64
fi
"$handler"
