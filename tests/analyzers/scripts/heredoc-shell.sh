#!/bin/bash
set -e
su -s /bin/sh app <<EOSH
cd /srv/board
rake assets:precompile
$(command -v bundler) clean
EOSH
bash -s -- "$DATA" <<'EOB'
set -e
rsync -a /usr/src/board/ "$1"
EOB
sh <<<"renice 5 $$"
cat <<'TEXT' | sh
hostid
TEXT
exec unicorn -c /srv/board/unicorn.rb
