#!/bin/sh
trap 'kill $pid' TERM
case `id -u` in
0) set -- runuser -u app -- "$@" ;;
esac
"$@" &
pid=$!
wait $pid
