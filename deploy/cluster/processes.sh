# shellcheck shell=bash
# Processes of the cluster, each known by its id and the moment it started, so that an id which the
# system has given to another process since is never mistaken for ours.

# One command that changes the cluster at a time.
take_lock() {
  mkdir -p "$dir/run" "$dir/logs" "$dir/redis" "$dir/nginx"
  exec {lock}>"$dir/lock"
  flock -w 120 "$lock" || fail "another command has worked on $dir for two minutes"
}

# facts PID: into the array `facts` its state, parent, group, session and so on, as /proc/PID/stat has them
facts() {
  local line
  facts=()
  { IFS= read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -ra facts <<<"${line##*) }"
}

# birth PID: when it started, in clock ticks since boot; nothing when it is dead, or only not yet reaped
birth() {
  facts "$1" || return 0
  [[ ${facts[0]} == [ZX] ]] || printf '%s\n' "${facts[19]}"
}

# session PID: the session it belongs to, named by the process that began it
session() { if facts "$1"; then printf '%s\n' "${facts[3]}"; fi; }

# pid_of NAME: its process id; fails when it does not run
pid_of() {
  local pid born
  read -r pid born 2>/dev/null <"$dir/run/$1.pid" || return 1
  [[ -n $born && $(birth "$pid") == "$born" ]] || return 1
  printf '%s\n' "$pid"
}

alive() { pid_of "$1" >/dev/null; }

# bury NAME: forgets one that is dead, and ends what it left behind in its session, as nginx leaves its
# workers when it is killed. The system reuses no process id while a session bears it.
bury() {
  local leader folder pid
  if alive "$1"; then return 0; fi
  if read -r leader _ 2>/dev/null <"$dir/run/$1.pid" && [[ -z $(birth "$leader") ]]; then
    for folder in /proc/[0-9]*; do
      pid=${folder#/proc/}
      if facts "$pid" && [[ ${facts[3]} == "$leader" && $pid != "$leader" ]]; then
        kill -s KILL "$pid" 2>/dev/null || true
      fi
    done
  fi
  rm -f "$dir/run/$1.pid" "$dir/run/$1.command"
}

# recorded: the names of all that was started and not yet stopped
recorded() {
  local file
  for file in "$dir"/run/*.pid; do
    if [[ -e $file ]]; then basename "$file" .pid; fi
  done
}

# start NAME COMMAND…: in a session of its own, so that closing the terminal does not end it
start() {
  local name=$1 pid
  shift
  printf '%s  deploy/local starts %s\n' "$(date -Is)" "$name" >>"$dir/logs/$name.log"
  setsid "$@" >>"$dir/logs/$name.log" 2>&1 </dev/null {lock}>&- &
  pid=$!
  printf '%s %s\n' "$pid" "$(birth "$pid")" >"$dir/run/$name.pid"
  disown
}

# signal NAME SIGNAL
signal() {
  local pid
  if pid=$(pid_of "$1"); then kill -s "$2" "$pid" 2>/dev/null || true; fi
}

# still_alive NAME…: those that are
still_alive() {
  local name
  for name in "$@"; do
    if alive "$name"; then printf '%s ' "$name"; fi
  done
}

# wait_gone SECONDS WHAT NAME…: fails when some of them still live after that
wait_gone() {
  local limit=$1 what=$2 since=$SECONDS left
  shift 2
  while left=$(still_alive "$@") && [[ -n $left ]]; do
    ((SECONDS - since < limit)) || return 1
    progress "$what $left($((SECONDS - since)) s of at most $limit s)"
    sleep 0.2
  done
}

# stop_all drain|now NAME…: ends them all at the same time, and whoever does not end by itself by force
stop_all() {
  local how=$1 name limit running
  shift
  read -ra running <<<"$(still_alive "$@")"
  if ((${#running[@]})); then
    # A node ends at the latest 12 s after its last goodbye, and then has at the most 9 s for its last answers, for the leaves
    # of those whose grace is over, and for its farewell to Redis.
    limit=$(($(seconds_of "$settle") + $(seconds_of "$drain_window") + 12 + 9 + 3))
    for name in "${running[@]}"; do signal "$name" TERM; done
    if [[ $how == now ]]; then
      limit=5
      sleep 0.3
      # A second one ends a drain at once.
      for name in "${running[@]}"; do
        if [[ $name == gateway-* ]]; then signal "$name" TERM; fi
      done
    fi
    if ! wait_gone "$limit" stopping "${running[@]}"; then
      for name in "${running[@]}"; do
        if alive "$name"; then
          say "$name does not end by itself: killing it"
          signal "$name" KILL
        fi
      done
      wait_gone 10 killing "${running[@]}" || fail "these do not die: $(still_alive "${running[@]}")"
    fi
    for name in "${running[@]}"; do done_line "$name" stopped; done
  fi
  for name in "$@"; do bury "$name"; done
}
