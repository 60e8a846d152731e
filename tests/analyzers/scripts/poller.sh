#!/usr/bin/env bash
set -uo pipefail
readonly INTERVAL="${INTERVAL:-60}"
state=/tmp/state.json

fetch() {
	curl -fsSL --retry 3 -H "Authorization: Bearer ${TOKEN:-}" "${API:-http://api}/items?since=$(jq -r '.since // 0' "$state" 2>/dev/null || echo 0)"
}

notify() {
	local channel=$1 text=$2
	curl -fsS -X POST -d "$(jq -n --arg t "$text" '{text: $t}')" "$channel" -o /dev/null ||
		logger -t poller "could not notify"
}

cleanup() {
	local code=$?
	rm -f "$state"
	pkill -P $$ 2>/dev/null
	exit "$code"
}
trap cleanup EXIT
trap 'exit 143' TERM

while :; do
	if body=$(fetch); then
		while IFS=$'\t' read -r id name; do
			[[ -z $id ]] && continue
			notify "${WEBHOOK:-http://hook}" "$name is $id" &
		done < <(jq -r '.[] | [.id, .name] | @tsv' <<<"$body")
		wait
		md5sum <<<"$body" | awk '{print $1}' >"$state"
	fi
	sleep "$INTERVAL"
done
