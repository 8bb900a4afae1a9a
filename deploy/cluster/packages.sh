# shellcheck shell=bash
# What the cluster needs of Debian, installed when missing, and never started as a service.

missing_packages() {
  [[ -e /usr/include/hiredis/hiredis.h ]] || printf 'libhiredis-dev\n'
  [[ -e /usr/include/zlib.h ]] || printf 'zlib1g-dev\n'
  local pair
  for pair in redis-server:redis-server nginx:nginx curl:curl ss:iproute2; do
    command -v "${pair%%:*}" >/dev/null || printf '%s\n' "${pair##*:}"
  done
}

# install_missing FINDER…: installs what they print; says what it does; asks sudo when it is not root
install_missing() {
  local packages finder as_root=()
  mapfile -t packages < <(for finder in "$@"; do "$finder"; done)
  ((${#packages[@]})) || return 0
  command -v apt-get >/dev/null || fail "missing here: ${packages[*]} (by Debian's names)"
  if ((EUID)); then
    command -v sudo >/dev/null || fail "missing: run as root: apt-get install ${packages[*]}"
    as_root=(sudo)
  fi
  say "installing ${packages[*]}"
  "${as_root[@]}" bash -s -- "${packages[@]}" <<'ROOT'
set -euo pipefail
# With this policy in place, Debian's packages start no service.
policy=/usr/sbin/policy-rc.d
restore() { rm -f "$policy"; [[ ! -e $policy.before-sluice ]] || mv "$policy.before-sluice" "$policy"; }
[[ ! -e $policy ]] || mv "$policy" "$policy.before-sluice"
trap restore EXIT
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -q --no-install-recommends "$@"
# Nor at the next boot.
for service in redis-server nginx; do
  if [[ " $* " == *" $service "* ]] && command -v systemctl >/dev/null; then
    systemctl disable "$service" >/dev/null 2>&1 || true
  fi
done
ROOT
}
