# shellcheck shell=bash
# Ports, folder and program of the cluster: from options, else the environment, else these. `up` saves
# them in the cluster's folder, for the commands that come after it.

read_environment() {
  dir=${SLUICE_LOCAL_DIR:-$root/.local}
  nginx_port=${SLUICE_LOCAL_NGINX_PORT:-8080}
  tls_port=${SLUICE_LOCAL_TLS_PORT:-}
  redis_port=${SLUICE_LOCAL_REDIS_PORT:-6381}
  IFS=', ' read -ra node_ports <<<"${SLUICE_LOCAL_NODE_PORTS:-8081,8082,8083}"
  IFS=', ' read -ra operator_ports <<<"${SLUICE_LOCAL_OPERATOR_PORTS:-9081,9082,9083}"
  settle=${SLUICE_LOCAL_SETTLE:-5s}
  drain_window=${SLUICE_LOCAL_DRAIN_WINDOW:-30s}
  binary=${SLUICE_LOCAL_BINARY:-}
  local variable
  # A node refuses a variable that is no setting of its own.
  for variable in "${!SLUICE_LOCAL_@}" SLUICE_BINARY; do unset "$variable"; done
}

# set_option NAME VALUE
set_option() {
  case $1 in
    --dir) dir=$2 ;;
    --nginx-port) nginx_port=$2 ;;
    --tls-port) tls_port=$2 ;;
    --redis-port) redis_port=$2 ;;
    --node-ports) IFS=', ' read -ra node_ports <<<"$2" ;;
    --operator-ports) IFS=', ' read -ra operator_ports <<<"$2" ;;
    --settle) settle=$2 ;;
    --drain-window) drain_window=$2 ;;
    --binary) binary=$2 ;;
    *) fail "there is no option $1: see deploy/local help" ;;
  esac
}

check_settings() {
  local port seen=' '
  ((${#node_ports[@]})) || fail "--node-ports names no node"
  ((${#node_ports[@]} == ${#operator_ports[@]})) ||
    fail "there are ${#node_ports[@]} node ports and ${#operator_ports[@]} operator ports: each node wants one of both"
  for port in "$nginx_port" ${tls_port:+"$tls_port"} "$redis_port" "${node_ports[@]}" "${operator_ports[@]}"; do
    if ! [[ $port =~ ^[1-9][0-9]{0,4}$ ]] || ((port > 65535)); then fail "'$port' is no port"; fi
    [[ $seen != *" $port "* ]] || fail "port $port is given twice"
    seen+="$port "
  done
  seconds_of "$settle" >/dev/null
  seconds_of "$drain_window" >/dev/null
  dir=$(realpath -ms "$dir")
  [[ -z $binary ]] || binary=$(realpath -ms "$binary")
}

# seconds_of 30s|500ms|1m30s: whole seconds, rounded up
seconds_of() {
  local rest=$1 milliseconds=0 number
  [[ $rest =~ ^(0|([0-9]+(ms|s|m|h))+)$ ]] || fail "'$1' is no duration: write 500ms, 30s or 1m30s"
  while [[ $rest =~ ^([0-9]+)(ms|s|m|h)(.*)$ ]]; do
    number=$((10#${BASH_REMATCH[1]}))
    rest=${BASH_REMATCH[3]}
    case ${BASH_REMATCH[2]} in
      ms) ((milliseconds += number)) ;;
      s) ((milliseconds += number * 1000)) ;;
      m) ((milliseconds += number * 60000)) ;;
      h) ((milliseconds += number * 3600000)) ;;
    esac || true
  done
  printf '%s\n' $(((milliseconds + 999) / 1000))
}

save_settings() {
  declare -p nginx_port tls_port redis_port node_ports operator_ports settle drain_window binary |
    sed 's/^declare /declare -g /' >"$dir/settings"
}

# shellcheck source=/dev/null
load_settings() { if [[ -f $dir/settings ]]; then source "$dir/settings"; fi; }
