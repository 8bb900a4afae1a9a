# shellcheck shell=bash
# What a cluster is made of, and for each part: its ports, its command, and when it is ready.

# In the order in which they start.
names() {
  printf 'redis\n'
  local i
  for i in "${!node_ports[@]}"; do printf 'gateway-%s\n' $((i + 1)); done
  printf 'nginx\n'
}

# Here and elsewhere grep and sed read to the end: one that leaves at the first match ends who writes to it, and with
# pipefail the whole has failed.
check_name() { names | grep -xF -- "$1" >/dev/null || fail "there is no '$1' here, but: $(names | tr '\n' ' ')"; }

# ports_of NAME: its own first, then a node's operator port, or nginx's for TLS
ports_of() {
  case $1 in
    redis) printf '%s\n' "$redis_port" ;;
    nginx) printf '%s\n' "$nginx_port" ${tls_port:+"$tls_port"} ;;
    gateway-*) printf '%s\n' "${node_ports[${1#gateway-} - 1]}" "${operator_ports[${1#gateway-} - 1]}" ;;
  esac
}

# command_of NAME: into the array `run`
command_of() {
  local ports
  mapfile -t ports < <(ports_of "$1")
  case $1 in
    redis)
      run=(redis-server --port "${ports[0]}" --bind 127.0.0.1 --dir "$dir/redis" --daemonize no
        --appendonly yes --appendfsync everysec --save '')
      ;;
    nginx) run=(nginx -e stderr -p "$dir/nginx" -c "$dir/nginx/nginx.conf" -g 'daemon off;') ;;
    gateway-*)
      run=("$binary" serve --node "$1" --listen "127.0.0.1:${ports[0]}"
        --operator-listen "127.0.0.1:${ports[1]}" --redis "redis://127.0.0.1:$redis_port/0"
        --trusted-proxies 127.0.0.1 --settle "$settle" --drain-window "$drain_window" --log-format human)
      if [[ -z ${SLUICE_CONFIG:-} ]]; then run+=(--config "$root/deploy/cluster/namespaces.yaml"); fi
      ;;
  esac
}

# render_nginx: the files of nginx/, with this cluster's ports
render_nginx() {
  local port
  cp "$root"/nginx/*.conf "$dir/nginx/"
  printf 'listen 127.0.0.1:%s reuseport backlog=4096;\n' "$nginx_port" >"$dir/nginx/listen.conf"
  for port in "${node_ports[@]}"; do
    printf 'server 127.0.0.1:%s weight=10 max_fails=0;\n' "$port"
  done >"$dir/nginx/nodes.conf"
  rm -rf "$dir/nginx/enabled"
  [[ -n $tls_port ]] || return 0
  make_certificate
  mkdir "$dir/nginx/enabled"
  cp "$root/nginx/tls.conf" "$dir/nginx/enabled/"
  printf '%s;\n' "listen 127.0.0.1:$tls_port ssl http2 reuseport backlog=4096" "ssl_certificate tls.crt" \
    "ssl_certificate_key tls.key" >"$dir/nginx/listen-tls.conf"
}

# make_certificate: for this machine, signed by itself, unless there is one that lasts for another week
make_certificate() {
  openssl x509 -checkend 604800 -noout -in "$dir/nginx/tls.crt" >/dev/null 2>&1 && return 0
  (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$dir/nginx/tls.key" -out "$dir/nginx/tls.crt" \
    2>/dev/null) || fail "openssl made no certificate: is it installed?"
}

# fingerprint NAME: what it runs with; another one means that it has to be started anew
fingerprint() {
  printf '%q ' "${run[@]}"
  case $1 in
    nginx) find "$dir/nginx" '(' -name '*.conf' -o -name tls.crt ')' -print0 | sort -z | xargs -0 cat | cksum ;;
    gateway-*)
      stat -c ' %Y %s' "$binary"
      cksum <"${SLUICE_CONFIG:-$root/deploy/cluster/namespaces.yaml}"
      ;;
  esac
}

ready() {
  local ports
  mapfile -t ports < <(ports_of "$1")
  case $1 in
    redis) redis_answers "${ports[0]}" ;;
    *) [[ $(http_status "${ports[0]}" /readyz) == 200 ]] ;;
  esac
}

# bury_dead_and_unknown: also stops what an earlier `up` started and this one does not know
bury_dead_and_unknown() {
  local name
  for name in $(recorded); do
    if names | grep -xF -- "$name" >/dev/null; then bury "$name"; else stop_all drain "$name"; fi
  done
}

# free_ports_or_fail: every port that is still to be taken is free, or all that are not are named
free_ports_or_fail() {
  local name port program pid taken=()
  for name in $(names); do
    if alive "$name" && still_as_asked "$name"; then continue; fi
    for port in $(ports_of "$name"); do
      read -r program pid < <(holder "$port") || continue
      if [[ $pid == '?' ]]; then
        taken+=("port $port, wanted by $name, is in use by a process that only root may see")
      elif ! alive "$name" || [[ $(session "$pid") != "$(pid_of "$name")" ]]; then
        taken+=("port $port, wanted by $name, is in use by $program, process $pid")
      fi
    done
  done
  ((${#taken[@]} == 0)) || fail "$(printf '%s\n' "${taken[@]}" 'see deploy/local help for how to choose others')"
}

still_as_asked() {
  command_of "$1"
  [[ "$(fingerprint "$1")" == "$(cat "$dir/run/$1.command" 2>/dev/null)" ]]
}

check_nginx() { "${run[@]}" -t 2>>"$dir/logs/nginx.log" || fail "$(tail -n 5 "$dir/logs/nginx.log")"; }

# call_back NAME: a node that was drained by command takes clients again
call_back() {
  local ports operator
  mapfile -t ports < <(ports_of "$1")
  if [[ $1 != gateway-* ]] || ready "$1"; then return 0; fi
  operator=http://127.0.0.1:${ports[1]}
  if "$binary" nodes --json --operator "$operator" 2>/dev/null |
    grep -E "\"node\":\"$1\",[^{}]*\"state\":\"drain" >/dev/null &&
    "$binary" undrain "$1" --operator "$operator" >/dev/null 2>&1; then
    done_line "$1" "called back: it was drained"
  fi
}

# bring_up NAME: leaves it as it is, starts it, or starts it anew
bring_up() {
  local anew=no
  if alive "$1"; then
    if still_as_asked "$1"; then
      call_back "$1"
      return 0
    fi
    if [[ $1 == nginx ]]; then
      # Connections that are open stay with the old workers.
      check_nginx
      signal nginx HUP
      fingerprint nginx >"$dir/run/nginx.command"
      return 0
    fi
    anew=yes
    stop_all drain "$1"
  fi
  command_of "$1"
  if [[ $1 == nginx ]]; then check_nginx; fi
  # Every connection is an open file.
  ulimit -n "$(ulimit -Hn)"
  start "$1" "${run[@]}"
  fingerprint "$1" >"$dir/run/$1.command"
  # The nodes want Redis there, and the next node to be replaced wants this one back.
  if [[ $1 == redis || $anew == yes ]]; then wait_ready "$1"; fi
}

# wait_ready NAME…
wait_ready() {
  local since=$SECONDS waiting=("$@") left name
  while ((${#waiting[@]})); do
    left=()
    for name in "${waiting[@]}"; do
      if ready "$name"; then
        if [[ ! $told == *" $name "* ]]; then done_line "$name" "ready on port $(ports_of "$name" | sed -n 1p)"; fi
        told+=" $name "
      elif ! alive "$name"; then
        fail "$name has ended; its log, $dir/logs/$name.log, says last:"$'\n'"$(tail -n 15 "$dir/logs/$name.log")"
      else
        left+=("$name")
      fi
    done
    waiting=("${left[@]}")
    ((${#waiting[@]})) || break
    ((SECONDS - since < 60)) || fail "not ready after a minute: ${waiting[*]}; see deploy/local logs"
    progress "waiting for ${waiting[*]} ($((SECONDS - since)) s)"
    sleep 0.1
  done
}
told=' '
