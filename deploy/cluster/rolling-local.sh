# shellcheck shell=bash
# A rolling restart of the local cluster.

prepare() {
  [[ -f $dir/settings ]] || fail "there is no cluster in $dir: deploy/local up"
  take_lock
  load_settings
}

build_anew() {
  [[ $binary == "$root/.build/release/sluice" ]] || fail "the cluster runs $binary, which is not built here"
  (cd "$root" && swift build -c release --product sluice)
}

nodes() { names | grep '^gateway-'; }
node_alive() { alive "$1"; }
node_ready() { alive "$1" && ready "$1"; }
node_log() { tail -n 10 "$dir/logs/$1.log"; }

# near NODE CODE ARGUMENT…
near() {
  local ports code=$2
  mapfile -t ports < <(ports_of "$1")
  shift 2
  bash -c "$code" near "${ports[0]}" "${ports[1]}" "$@" {lock}>&-
}

# replace_node NODE: it is drained, so it ends at once
replace_node() {
  stop_all drain "$1"
  free_ports_or_fail
  bring_up "$1"
}
