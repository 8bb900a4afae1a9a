# shellcheck shell=bash
# Requests to one node's listeners, from where the node runs: `near NODE CODE ARGUMENT…` runs bash there, with
# the ports of its public and its operator listener as the first two arguments.

# operator_request NODE METHOD PATH [BODY]: the whole answer; fails when there is none
operator_request() {
  local key=${SLUICE_OPERATOR_KEY:+"Authorization: Bearer $SLUICE_OPERATOR_KEY"$'\r\n'}
  # shellcheck disable=SC2016
  near "$1" '
    exec 3<>"/dev/tcp/127.0.0.1/$2" || exit 1
    printf "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" "$3" "$4" >&3
    printf "%sContent-Type: application/json\r\nContent-Length: %s\r\n\r\n%s" "$6" "${#5}" "$5" >&3
    answer=$(timeout 10 cat <&3) && [[ -n $answer ]] && printf "%s\n" "$answer"
  ' "$2" "$3" "${4:-}" "$key" 2>/dev/null
}

# status_of ANSWER
status_of() { if [[ $1 =~ ^HTTP/1\.[01]\ ([0-9]{3}) ]]; then printf '%s\n' "${BASH_REMATCH[1]}"; fi; }

# said ANSWER: of a problem its detail, else the first line
said() {
  if [[ $1 =~ \"detail\":\"(([^\"\\]|\\.)*)\" ]]; then printf '%s\n' "${BASH_REMATCH[1]}"; else head -n 1 <<<"$1"; fi
}

# node_listen NODE CHANNEL TEXT SECONDS: prints `listening` when the node has opened a stream, and succeeds when
# the text came over it in time; prints the first line of an answer that is no stream
node_listen() {
  # shellcheck disable=SC2016
  near "$1" '
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf "GET /v1/stream?channels=%s HTTP/1.1\r\nHost: localhost\r\n\r\n" "$3" >&3
    IFS= read -r -t "$5" head <&3
    [[ $head == *" 200 "* ]] || { printf "%s\n" "${head%$'"'\\\\r'"'}"; exit 1; }
    until=$((SECONDS + $5))
    while ((SECONDS < until)) && IFS= read -r -t "$5" line <&3; do
      case $line in
        *"\"type\":\"welcome\""*) echo listening ;;
        *"$4"*) exit 0 ;;
      esac
    done
    exit 1
  ' "$2" "$3" "$4"
}
