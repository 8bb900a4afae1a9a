# shellcheck shell=bash
# How the cluster is, and what to do with it.

# status: a line for each part; fails unless all are ready
status() {
  local name pid state ports all=0
  printf '%-11s %-9s %-13s %9s  %s\n' NAME PROCESS STATE MEMORY ADDRESS
  for name in $(names); do
    mapfile -t ports < <(ports_of "$name")
    if ! pid=$(pid_of "$name"); then
      pid=- state=stopped
    elif ready "$name"; then
      state=ready
    else
      state='not ready'
    fi
    [[ $state == ready ]] || all=1
    local second=operator
    if [[ $name == nginx ]]; then second=TLS; fi
    printf '%-11s %-9s %-13s %9s  127.0.0.1:%s%s\n' "$name" "$pid" "$state" "$(memory "$pid")" "${ports[0]}" \
      "${ports[1]:+, $second 127.0.0.1:${ports[1]}}"
  done
  return "$all"
}

# memory PID: resident, of the process itself
memory() { awk '/^VmRSS/ { printf "%.1f MB", $2 / 1024 }' "/proc/$1/status" 2>/dev/null || printf -- -; }

welcome() {
  local site=http://127.0.0.1:$nginx_port operator=http://127.0.0.1:${operator_ports[0]}
  say "the cluster is ready"
  cat <<END

  Open      $site/   ${tls_port:+or https://127.0.0.1:$tls_port/ }in two windows, and chat; /prices and /lab, too

  Listen    curl -N '$site/v1/stream?channels=room:lobby'
  Publish   curl $site/v1/channels/room:lobby/messages --json '{"text":"hello"}'

  Nodes     $binary nodes --operator $operator
  Logs      deploy/local logs -f
  Drain     deploy/local restart gateway-2   with windows open: nobody notices
  Stop      deploy/local down

END
}
