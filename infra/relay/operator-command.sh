#!/bin/sh
# The command for operators, /usr/local/bin/skein-relay: as the relay's user, with the relay's settings.
set -eu
app=${SKEIN_RELAY_APP:-/opt/skein-relay/current}
settings=${SKEIN_RELAY_SETTINGS:-/etc/skein-relay/relay.env}
data=/var/lib/skein-relay
user=skein-relay

# Lines of NAME=value as systemd reads them: a value may hold anything, and nothing of it is run.
read_settings() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in SKEIN_*=*) ;; *) continue ;; esac
    name=${line%%=*}
    value=${line#*=}
    case $name in *[!A-Z0-9_]*) continue ;; esac
    case $value in \"*\") value=${value#?} && value=${value%?} ;; \'*\') value=${value#?} && value=${value%?} ;; esac
    export "$name=$value"
  done <"$1"
}

read_settings "$app/defaults.env"
[ ! -r "$settings" ] || read_settings "$settings"
export SKEIN_RELAY_DATA_DIR="$data"

[ "$(id -u)" = 0 ] || exec "$app/skein-relay" "$@"
as_relay() { setpriv --reuid "$user" --regid "$user" --init-groups "$app/skein-relay" "$@"; }

# A backup is written, and one to restore is read, with the caller's rights: the relay's user has none outside its data.
back_up() {
  (umask 077 && set -C && : >"$1") || exit 2
  as_relay backup - >"$1" && echo "file: $1" && return
  status=$?
  rm -f "$1"
  exit "$status"
}

restore() {
  for file; do :; done
  [ -r "$file" ] || { echo "skein-relay: $file cannot be read" >&2; exit 2; }
  # Nothing is put in place of a relay that runs; this one is back at once.
  was_running=
  if [ -d /run/systemd/system ] && systemctl is-active --quiet skein-relay; then
    was_running=yes
    systemctl stop skein-relay
  fi
  status=0
  if [ "$1" = --replace ]; then as_relay restore --replace - <"$file" || status=$?; else as_relay restore - <"$file" || status=$?; fi
  [ -z "$was_running" ] || systemctl start skein-relay
  exit "$status"
}

case "${1:-} ${2:-}:$#" in
  "backup -:2") ;;
  backup\ *:2) back_up "$2" && exit 0 ;;
  "restore -:2" | "restore --replace:2") ;;
  restore\ *:2) restore "$2" ;;
  "restore --replace:3") [ "$3" = - ] || restore --replace "$3" ;;
esac
as_relay "$@"
