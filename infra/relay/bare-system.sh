#!/bin/sh
# Tries infra/install.sh on the bare system that this runs in, as root, with nothing but the sources in /src: installs, starts the
# relay by hand where no systemd runs, looks at it as its members do, and removes it. For containers that are thrown away.
set -eu
mkdir /sources
tar -C /src -cf - --exclude=./.git --exclude=node_modules --exclude=.toolchain . | tar -C /sources -xf -
/sources/infra/install.sh --announce-host 127.0.0.1
! command -v npm || { echo "npm is still here" >&2; exit 1; }

skein-relay run &
skein-relay status --wait 120s
skein-relay doctor
skein-relay backup /var/tmp/relay.backup
skein-relay drain
wait

cp -a /opt/skein-relay/current/. /packed
/packed/install.sh
/packed/install.sh uninstall --purge
/packed/install.sh --announce-host 127.0.0.1 --restore /var/tmp/relay.backup
skein-relay token list
