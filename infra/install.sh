#!/bin/sh
# Installs, upgrades and removes a Skein relay on Debian and Ubuntu. Run as root from a checkout of the sources:
#   infra/install.sh [install]         also upgrades; running it again changes nothing that is as it should be
#   infra/install.sh uninstall         keeps the data; --purge removes them and the user too
# SKEIN_ROOT puts everything below another folder and starts nothing, for images and tests.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
root=${SKEIN_ROOT:-}
app=/opt/skein-relay
data=/var/lib/skein-relay
unit=/etc/systemd/system/skein-relay.service
user=skein-relay

say() { printf 'skein-relay: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
runs_systemd() { [ -z "$root" ] && [ -d /run/systemd/system ]; }

in_root() { if [ -n "$root" ]; then chroot "$root" "$@"; else "$@"; fi; }

need_debian() {
  [ "$(id -u)" = 0 ] || die "run this as root, for example with sudo"
  [ -r "$root/etc/os-release" ] || die "this is no Debian or Ubuntu system"
  # shellcheck disable=SC1091
  . "$root/etc/os-release"
  case " ${ID:-} ${ID_LIKE:-} " in
    *" debian "* | *" ubuntu "*) ;;
    *) die "this is ${PRETTY_NAME:-an unknown system}; only Debian and Ubuntu are supported" ;;
  esac
}

# What Node.js links to and a bare system lacks; setpriv is in util-linux, which every system has.
ensure_libraries() {
  in_root dpkg-query -W -f '${Status}\n' libatomic1 libstdc++6 ca-certificates 2>/dev/null | grep -c '^install ok installed$' | grep -qx 3 && return
  in_root apt-get update -qq
  in_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libatomic1 libstdc++6 ca-certificates >&2
}

ensure_user() {
  in_root id "$user" >/dev/null 2>&1 && return
  in_root useradd --system --home-dir "$data" --shell /usr/sbin/nologin --user-group "$user"
  say "made the user $user"
}

# Packs a version into a folder of its own; SKEIN_PACKED names one that is there already.
pack() {
  mkdir -p "$root$app"
  rm -rf "$root$app/next"
  if [ -n "${SKEIN_PACKED:-}" ]; then
    cp -a "$SKEIN_PACKED" "$root$app/next"
    return
  fi
  command -v npm >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y --no-install-recommends nodejs npm; }
  say "building, which takes some minutes the first time"
  (cd "$here" && node tools/run.mjs pack-relay "$root$app/next" >&2)
}

# A new version stands beside the old one until the link is turned; the one before stays for going back.
place() {
  stamp=$(cd "$root$app/next" && find . -type f -exec sha256sum {} + | LC_ALL=C sort | sha256sum | cut -c1-12)
  if [ -d "$root$app/$stamp" ]; then
    rm -rf "$root$app/next"
    say "version $stamp is in place"
  else
    mv "$root$app/next" "$root$app/$stamp"
    say "put version $stamp in place"
  fi
  before=$(readlink "$root$app/current" 2>/dev/null || true)
  ln -sfn "$stamp" "$root$app/current.new"
  mv -T "$root$app/current.new" "$root$app/current"
  for old in "$root$app"/*; do
    case "${old##*/}" in current | "$stamp" | "$before") ;; *) rm -rf "$old" ;; esac
  done
}

place_settings() {
  mkdir -p "$root/etc/skein-relay" "$root/usr/local/bin" "$(dirname "$root$unit")"
  if [ ! -e "$root/etc/skein-relay/relay.env" ]; then
    printf '# Your settings; %s has the defaults. Then: systemctl restart skein-relay\n#SKEIN_RELAY_ANNOUNCE_HOST=relay.example\n#SKEIN_RELAY_FRONT_URL=https://relay.example\n' "$app/current/defaults.env" >"$root/etc/skein-relay/relay.env"
    chmod 640 "$root/etc/skein-relay/relay.env"
  fi
  install -m 644 "$here/infra/relay/skein-relay.service" "$root$unit"
  cat >"$root/usr/local/bin/skein-relay" <<EOF
#!/bin/sh
# The command for operators: as the relay's user, with the relay's settings.
set -a
. $app/current/defaults.env
[ ! -r /etc/skein-relay/relay.env ] || . /etc/skein-relay/relay.env
SKEIN_RELAY_DATA_DIR=$data
set +a
[ "\$(id -u)" != 0 ] || exec setpriv --reuid $user --regid $user --init-groups $app/current/skein-relay "\$@"
exec $app/current/skein-relay "\$@"
EOF
  chmod 755 "$root/usr/local/bin/skein-relay"
  in_root install -d -o "$user" -g "$user" -m 700 "$data"
}

announce_host() {
  grep -qs '^SKEIN_RELAY_ANNOUNCE_HOST=' "$root/etc/skein-relay/relay.env" && return
  [ -z "$root" ] || return 0
  # The address by which this machine leaves: on a rented machine its public one. Nothing is sent.
  address=$(ip -o route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([^ ]*\).*/\1/p')
  [ -z "$address" ] || printf 'SKEIN_RELAY_ANNOUNCE_HOST=%s\n' "$address" >>"$root/etc/skein-relay/relay.env"
}

hint_firewall() {
  say "open these ports in the firewall: TCP 80 443 8080 4001 4002 4004, UDP 4001 4003 3478 3479"
  if command -v ufw >/dev/null 2>&1; then
    say "with ufw: ufw allow 80,443,8080,4001,4002,4004/tcp && ufw allow 4001,4003,3478,3479/udp"
  fi
}

start() {
  if ! runs_systemd; then
    say "systemd does not run here; start it later with: systemctl enable --now skein-relay"
    return
  fi
  systemctl daemon-reload
  systemctl enable --quiet skein-relay
  systemctl restart skein-relay
}

install_relay() {
  need_debian
  ensure_libraries
  pack
  ensure_user
  place
  place_settings
  announce_host
  in_root /usr/local/bin/skein-relay init
  start
  hint_firewall
}

uninstall_relay() {
  need_debian
  if runs_systemd; then systemctl disable --now --quiet skein-relay || true; fi
  rm -rf "$root$unit" "$root$app" "$root/usr/local/bin/skein-relay"
  if runs_systemd; then systemctl daemon-reload; fi
  if [ "${1:-}" = --purge ]; then
    rm -rf "$root$data" "$root/etc/skein-relay"
    in_root userdel "$user" 2>/dev/null || true
    say "removed everything"
  else
    say "removed; the data stay in $data, and go with: $0 uninstall --purge"
  fi
}

case "${1:-install}" in
  install | upgrade) install_relay ;;
  uninstall) uninstall_relay "${2:-}" ;;
  *) die "there are: install, uninstall [--purge]" ;;
esac
