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

# What is asked for, wherever the options stand; what this script does not know is left to the relay's program.
command= file= json= replace=
for each; do
  case $each in
    --json) json=--json ;;
    --replace) replace=--replace ;;
    --*) command=other ;;
    *) if [ -z "$command" ]; then command=$each; elif [ -z "$file" ]; then file=$each; else command=other; fi ;;
  esac
done

quoted() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }

cannot() {
  if [ -n "$json" ]; then printf '{"error":{"code":"USAGE","message":"%s"}}\n' "$(quoted "$1")"; else echo "skein-relay: $1" >&2; fi
  exit 2
}

# A backup is written, and one to restore is read, with the caller's rights: the relay's user has none outside its data.
back_up() {
  (umask 077 && set -C && : >"$file") 2>/dev/null || cannot "$file is there already, or cannot be made"
  as_relay $json backup - >"$file" || {
    status=$?
    # What it has said instead.
    [ -z "$json" ] || cat "$file"
    rm -f "$file"
    exit "$status"
  }
  if [ -n "$json" ]; then printf '{"file":"%s","bytes":%s}\n' "$(quoted "$file")" "$(($(wc -c <"$file")))"; else echo "file: $file"; fi
}

restore() {
  [ -r "$file" ] || cannot "$file cannot be read"
  # Nothing is put in place of a relay that runs; this one is back at once. One that is not to be replaced goes on.
  was_running=
  if { [ -n "$replace" ] || [ ! -e "$data/identity.seed" ]; } && systemctl is-active --quiet skein-relay 2>/dev/null; then
    was_running=yes
    systemctl stop skein-relay
  fi
  status=0
  as_relay $json restore $replace - <"$file" || status=$?
  # Without a key it would become a new one.
  [ -z "$was_running" ] || [ ! -e "$data/identity.seed" ] || systemctl start skein-relay
  exit "$status"
}

case "$command:$file" in
  *: | *:-) ;;
  backup:*) back_up && exit 0 ;;
  restore:*) restore ;;
esac
as_relay "$@"
