# shellcheck shell=bash
# A rolling restart of the containers of docker-compose.yml: each node is a service of its own.

prepare() {
  command -v docker >/dev/null || fail "there is no docker here"
  if docker compose version >/dev/null 2>&1; then compose=(docker compose); else compose=(docker-compose); fi
  compose+=(--project-directory "$root" -f "$root/docker-compose.yml")
  if [[ -n $project ]]; then compose+=(-p "$project"); fi
  settle=${SLUICE_SETTLE:-5s} drain_window=${SLUICE_DRAIN_WINDOW:-30s}
  mkdir -p "$dir"
  exec {lock}>"$dir/lock-compose"
  flock -w 5 "$lock" || fail "another rolling restart is under way"
  [[ -n $("${compose[@]}" ps -q 2>/dev/null) ]] || fail "no containers run: docker compose up"
}

build_anew() { "${compose[@]}" build; }

nodes() { "${compose[@]}" config --services | grep '^gateway-' | sort; }
container() { "${compose[@]}" ps -q "$1"; }

state() {
  local id
  id=$(container "$1")
  if [[ -n $id ]]; then docker inspect -f "$2" "$id" 2>/dev/null; fi
}

node_alive() { [[ $(state "$1" '{{.State.Running}}') == true ]]; }
node_ready() { [[ $(state "$1" '{{.State.Health.Status}}') == healthy ]]; }
node_log() { "${compose[@]}" logs --no-color --tail 10 "$1" 2>&1; }

# near NODE CODE ARGUMENT…: in its container
near() {
  local name=$1 code=$2
  shift 2
  docker exec "$(container "$name")" bash -c "$code" near 8080 9090 "$@"
}

# replace_node NODE: a new container of the image that is there now, under the same name and address
replace_node() { "${compose[@]}" up -d --no-deps --no-build --force-recreate "$1" {lock}>&-; }
