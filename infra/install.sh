#!/bin/sh
# Installs, upgrades and removes a Skein relay on Debian and Ubuntu. Run as root from a checkout of the sources, or from what
# `npm run pack-relay` has made of them on another machine:
#   install.sh [install] [options]     also upgrades; running it again changes nothing that is as it should be
#     --announce-host HOST   the name or address under which others reach this machine
#     --https                HTTPS of its own on port 443, with a certificate for that name by ACME
#     --mode MODE            who is admitted by a new relay: token (the default), open, allowlist or closed
#     --restore FILE         a new relay that is the one of a backup
#   install.sh uninstall [--purge]     keeps the data; --purge removes them and the user too
# SKEIN_ROOT puts everything below another folder and starts nothing, for images and tests.
set -eu
# Whatever the caller's is: the relay's user reads what is put here.
umask 022

from=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
root=${SKEIN_ROOT:-}
app=/opt/skein-relay
data=/var/lib/skein-relay
unit=/etc/systemd/system/skein-relay.service
settings=/etc/skein-relay/relay.env
operator=/usr/local/bin/skein-relay
user=skein-relay
libraries="libatomic1 libstdc++6 ca-certificates"
# Until a version that was started must run, and one that was told to end must be gone.
serves_within=60s
ends_within=45

mode= announce= https= backup= changed= before= version= welcome= draft= taken_back=

say() { printf 'skein-relay: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
runs_systemd() { [ -z "$root" ] && [ -d /run/systemd/system ]; }
in_root() { if [ -n "$root" ]; then chroot "$root" "$@"; else "$@"; fi; }
has_relay() { [ -e "$root$data/identity.seed" ]; }

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --https) https=443 ;;
      --announce-host | --mode | --restore)
        [ $# -gt 1 ] || die "$1 needs a value"
        case $1 in --announce-host) announce=$2 ;; --mode) mode=$2 ;; --restore) backup=$2 ;; esac
        shift
        ;;
      *) die "there is no option $1" ;;
    esac
    shift
  done
  case $mode in '' | open | token | allowlist | closed) ;; *) die "--mode is open, token, allowlist or closed" ;; esac
  case $announce in *[!A-Za-z0-9.:-]*) die "--announce-host is neither a name nor an address" ;; esac
}

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

# Before anything is changed.
check_wishes() {
  [ -z "$backup" ] || [ -r "$backup" ] || die "$backup cannot be read"
  [ -z "$backup" ] || ! has_relay || die "there is a relay here already; to put the one of the backup in its place: skein-relay restore --replace $backup"
  [ -z "$mode" ] || ! has_relay || die "this relay exists already; its mode is changed with: skein-relay limits mode=$mode"
  case ${https:-$(setting HTTPS)} in
    '' | off) ;;
    *) is_name "${announce:-$(setting ANNOUNCE_HOST)}" || die "--https needs --announce-host with the name that the certificate is for; no certificate is for a number" ;;
  esac
}

is_name() { case $1 in *:*) return 1 ;; *[!0-9.]*) return 0 ;; *) return 1 ;; esac; }

# What Node.js links to and a bare system lacks; setpriv is in util-linux, which every system has.
ensure_libraries() {
  # shellcheck disable=SC2086
  in_root dpkg-query -W -f '${Status}\n' $libraries 2>/dev/null | grep -c '^install ok installed$' | grep -qx 3 && return
  in_root apt-get update -qq
  # shellcheck disable=SC2086
  in_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $libraries >&2
}

ensure_user() {
  in_root id "$user" >/dev/null 2>&1 && return
  in_root useradd --system --home-dir "$data" --shell /usr/sbin/nologin --user-group "$user"
  say "made the user $user"
}

# A version in a folder of its own: a packed one, or the one that is built from these sources.
pack() {
  mkdir -p "$root$app"
  chmod 755 "$root$app"
  rm -rf "$root$app/next" "$root$app/build"
  trap 'rm -rf "$root$app/next" "$root$app/build" "$root$settings.new"' EXIT
  packed=${SKEIN_PACKED:-}
  [ ! -e "$from/app/bundle/main.js" ] || packed=$from
  if [ -n "$packed" ]; then cp -a "$packed" "$root$app/next"; else build "$(dirname "$from")"; fi
  # Unpacked by somebody else it would be theirs to change, and under a strict umask the relay's user could not read it.
  in_root chown -R root:root "$app/next"
  in_root chmod -R u=rwX,go=rX "$app/next"
  in_root setpriv --reuid "$user" --regid "$user" --init-groups "$app/next/skein-relay" --version >/dev/null 2>&1 || die "this version does not start here; is it packed for another kind of machine?"
}

# In the checkout where it has been built before; else in a copy, which goes again with all that the build has fetched.
build() {
  had=$(dpkg-query -W -f '${Package}\n' | LC_ALL=C sort)
  command -v npm >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq --no-install-recommends nodejs npm >&2; }
  say "building, which takes some minutes"
  failed=
  if [ -e "$1/.toolchain/installed" ]; then
    (cd "$1" && node tools/run.mjs pack-relay "$root$app/next" >&2) || failed=yes
  else
    mkdir "$root$app/build"
    tar -C "$1" -cf - --exclude=./.git --exclude=node_modules . | tar -C "$root$app/build" -xf -
    (cd "$root$app/build" && HOME=$root$app/build XDG_CACHE_HOME= XDG_DATA_HOME= node tools/run.mjs pack-relay "$root$app/next" >&2) || failed=yes
    rm -rf "$root$app/build"
  fi
  remove_build_tools "$had"
  [ -z "$failed" ] || die "the build failed; nothing has been changed"
}

# What was installed for the build alone.
remove_build_tools() {
  added=$(dpkg-query -W -f '${Package}\n' | LC_ALL=C sort | { printf '%s\n' "$1" >"$root$app/had"; LC_ALL=C comm -13 "$root$app/had" -; })
  rm -f "$root$app/had"
  [ -n "$added" ] || return 0
  say "removing what only the build needed"
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get purge -y -qq $added >&2
}

# Not always the current one: an upgrade may have broken off before it was started.
running_version() {
  runs_systemd || return 0
  readlink "/proc/$(systemctl show -p MainPID --value skein-relay)/exe" 2>/dev/null | sed -n "s,^$app/\([0-9a-f]*\)/node\$,\1,p"
}

# The operator's command of the version that is being installed, before it and its settings are the current ones.
with_new() { in_root env SKEIN_RELAY_APP="$app/$version" SKEIN_RELAY_SETTINGS="$draft" sh "$app/$version/operator-command.sh" "$@"; }

# A new version stands beside the old one; the one before stays for going back.
place() {
  version=$(cd "$root$app/next" && find . -type f -exec sha256sum {} + | LC_ALL=C sort | sha256sum | cut -c1-12)
  before=$(running_version)
  [ -d "$root$app/${before:-none}" ] || before=$(readlink "$root$app/current" 2>/dev/null || true)
  if [ -d "$root$app/$version" ]; then
    rm -rf "$root$app/next"
    say "version $version is in place"
  else
    mv "$root$app/next" "$root$app/$version"
    say "put version $version in place"
  fi
}

forget_old_versions() {
  for old in "$root$app"/*; do
    case "${old##*/}" in current | "$version" | "$before") ;; *) rm -rf "$old" ;; esac
  done
}

# Service, command and link of one version.
activate() {
  mkdir -p "$root$(dirname "$operator")" "$root$(dirname "$unit")"
  # A version from before these were packed goes by those that are here.
  [ ! -e "$root$app/$1/skein-relay.service" ] || put 644 "$root$app/$1/skein-relay.service" "$root$unit"
  [ ! -e "$root$app/$1/operator-command.sh" ] || put 755 "$root$app/$1/operator-command.sh" "$root$operator"
  if [ "$(readlink "$root$app/current" 2>/dev/null || true)" != "$1" ]; then
    changed=yes
    ln -sfn "$1" "$root$app/current.new"
    mv -T "$root$app/current.new" "$root$app/current"
  fi
  if runs_systemd; then systemctl daemon-reload; fi
}

put() {
  cmp -s "$2" "$3" && return
  changed=yes
  install -m "$1" "$2" "$3"
}

# The value of an option that the operator has set.
setting() { sed -n "s/^SKEIN_RELAY_$1=//p" "$root${draft:-$settings}" 2>/dev/null | tail -n 1; }

set_setting() {
  [ "$(setting "$1")" != "$2" ] || return 0
  changed=yes
  # A last line that somebody has left without its end gets one.
  sed -i -e "/^SKEIN_RELAY_$1=/d" -e '$a\' "$root$draft"
  printf 'SKEIN_RELAY_%s=%s\n' "$1" "$2" >>"$root$draft"
}

# In a copy: a version that does not take them must not leave the one that runs with settings that it cannot start with.
draft_settings() {
  mkdir -p "$root$(dirname "$settings")"
  draft=$settings.new
  if [ -e "$root$settings" ]; then
    cp -p "$root$settings" "$root$draft"
  else
    printf '# Your settings; %s has the defaults. Then: systemctl restart skein-relay\n' "$app/current/defaults.env" >"$root$draft"
    chmod 640 "$root$draft"
  fi
  in_root install -d -o "$user" -g "$user" -m 700 "$data"
  [ -z "$announce" ] || set_setting ANNOUNCE_HOST "$announce"
  [ -n "$(setting ANNOUNCE_HOST)" ] || [ -n "$root" ] || find_address
  [ -z "$https" ] || set_setting HTTPS "$https"
}

# Those from before stay until the relay has come up with the new ones. The right for HTTPS is given by what is set, whoever set it.
keep_settings() {
  rm -f "$root$settings.before"
  if [ -e "$root$settings" ] && ! cmp -s "$root$draft" "$root$settings"; then cp -p "$root$settings" "$root$settings.before"; fi
  mv -T "$root$draft" "$root$settings"
  draft=
  case $(setting HTTPS) in '' | off) ;; *) allow_low_ports ;; esac
}

take_back_settings() {
  [ -e "$root$settings.before" ] || return 0
  taken_back=yes
  say "taking back the settings that are new"
  mv -T "$root$settings.before" "$root$settings"
  case $(setting HTTPS) in '' | off) rm -f "$root$unit.d/https.conf" ;; esac
  if runs_systemd; then systemctl daemon-reload; fi
}

# On a rented machine the address by which it leaves is its public one, unless the provider translates it (1:1 NAT).
find_address() {
  found=$(with_new --json address)
  address=$(printf '%s' "$found" | sed -n 's/.*"address":"\([^"]*\)".*/\1/p')
  case $found in
    *'"public":true'*) set_setting ANNOUNCE_HOST "$address" ;;
    *)
      say "this machine has the address ${address:-of no network}, which nobody outside can reach, and its provider tells no other one"
      say "if a public address or a name leads here, say so:      $0 --announce-host HOST"
      say "if the relay is for this network alone, say that too:  $0 --announce-host ${address:-ADDRESS}"
      ;;
  esac
}

# A user without rights may not listen below 1024; this one right is given, and one lock opened for it.
allow_low_ports() {
  mkdir -p "$root$unit.d"
  printf '[Service]\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\nPrivateUsers=no\n' >"$root$unit.d/https.conf.new"
  put 644 "$root$unit.d/https.conf.new" "$root$unit.d/https.conf"
  rm "$root$unit.d/https.conf.new"
  if runs_systemd; then systemctl daemon-reload; fi
}

# A new relay gets its key and a token, or those of a backup. What members enter is shown at the end.
make_relay() {
  if has_relay; then
    welcome=$(with_new init)
    return
  fi
  if [ -n "$backup" ]; then
    with_new restore - <"$backup" >&2
    welcome=$(with_new init)
  else
    welcome=$(with_new init --mode "${mode:-token}")
  fi
}

start() {
  if ! runs_systemd; then
    say "systemd does not run here; start it later with: systemctl enable --now skein-relay"
    return
  fi
  systemctl enable --quiet skein-relay
  if ! systemctl is-active --quiet skein-relay; then
    systemctl restart skein-relay
  elif [ -n "$changed" ] || [ "${before:-$version}" != "$version" ]; then
    hand_over
  fi
  "$operator" --json status --wait "$serves_within" >/dev/null || go_back
}

# Members are told and move, then the old version ends, and systemd starts the new one.
hand_over() {
  pid=$(systemctl show -p MainPID --value skein-relay)
  say "sending members away in order; they are back within seconds"
  setpriv --reuid "$user" --regid "$user" --init-groups "$app/${before:-current}/skein-relay" --json --data-dir "$data" drain >/dev/null || true
  waited=0
  while [ "$pid" != 0 ] && kill -0 "$pid" 2>/dev/null && [ "$waited" -lt "$ends_within" ]; do
    sleep 1
    waited=$((waited + 1))
  done
  if [ "$pid" != 0 ] && kill -0 "$pid" 2>/dev/null; then systemctl restart skein-relay; fi
}

go_back() {
  journalctl -u skein-relay -n 20 --no-pager >&2 2>/dev/null || true
  take_back_settings
  [ "${before:-$version}" != "$version" ] || before=
  [ -n "$before$taken_back" ] || die "the relay does not come up; the lines above say why, and skein-relay doctor"
  say "this does not come up; going back to ${before:+version $before}${taken_back:+${before:+ and }the settings before}"
  [ -z "$before" ] || activate "$before"
  systemctl restart skein-relay
  "$operator" --json status --wait "$serves_within" >/dev/null || die "that does not come up either; see journalctl -u skein-relay"
  [ -z "$before" ] || rm -rf "$root$app/$version"
  [ -n "$before" ] || die "the relay serves again with the settings before"
  die "version $before serves again; nothing has been upgraded"
}

# By the ports in force, which the operator may have changed.
hint_firewall() {
  tcp= udp=
  for name in HTTP TCP WS REFLECTOR HTTPS; do add_port tcp "$name"; done
  for name in QUIC WEBRTC STUN STUN2; do add_port udp "$name"; done
  say "open these ports in the firewall: TCP$tcp, UDP$udp; behind a web server also TCP 80 443"
  if command -v ufw >/dev/null 2>&1; then say "with ufw: ufw allow $(list "$tcp")/tcp && ufw allow $(list "$udp")/udp"; fi
}

list() { printf '%s' "${1# }" | tr ' ' ','; }

add_port() {
  port=$(setting "$2")
  [ -n "$port" ] || port=$(sed -n "s/^SKEIN_RELAY_$2=//p" "$root$app/current/defaults.env")
  case $port in '' | off) return ;; esac
  if [ "$1" = tcp ]; then tcp="$tcp $port"; else udp="$udp $port"; fi
}

install_relay() {
  read_options "$@"
  need_debian
  check_wishes
  ensure_libraries
  ensure_user
  pack
  place
  draft_settings
  make_relay
  # Whatever fails up to here leaves the version that runs, and its settings, as they are.
  keep_settings
  activate "$version"
  start
  rm -f "$root$settings.before"
  forget_old_versions
  hint_firewall
  printf '%s\n' "$welcome"
  case $welcome in *'created: true'*) ;; *) say "for somebody new: skein-relay token create --label NAME" ;; esac
}

uninstall_relay() {
  case "${1:-}" in '' | --purge) ;; *) die "there is no option $1" ;; esac
  need_debian
  if runs_systemd; then systemctl disable --now --quiet skein-relay || true; fi
  rm -rf "$root$unit" "$root$unit.d" "$root$app" "$root$operator"
  if runs_systemd; then systemctl daemon-reload; fi
  if [ "${1:-}" = --purge ]; then
    rm -rf "$root$data" "$root$(dirname "$settings")"
    in_root userdel "$user" 2>/dev/null || true
    say "removed everything"
  else
    say "removed; the data stay in $data, and go with: $0 uninstall --purge"
  fi
}

command=install
case "${1:-}" in
  install | upgrade) shift ;;
  uninstall) command=uninstall && shift ;;
  '' | --*) ;;
  *) die "there are: install, uninstall [--purge]" ;;
esac
if [ "$command" = install ]; then install_relay "$@"; else uninstall_relay "$@"; fi
