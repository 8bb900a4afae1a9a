# shellcheck shell=bash
# Questions to ports of loopback.

# ask PORT TEXT: the first line that is answered within two seconds
ask() (
  line=''
  exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
  printf '%b' "$2" >&3
  IFS= read -r -t 2 line <&3 || [[ -n $line ]] || exit 1
  printf '%s\n' "${line%$'\r'}"
) 2>/dev/null

# http_status PORT PATH
http_status() {
  local line
  line=$(ask "$1" "GET $2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") || return 1
  [[ $line =~ ^HTTP/1\.[01]\ ([0-9]{3}) ]] && printf '%s\n' "${BASH_REMATCH[1]}"
}

redis_answers() { [[ $(ask "$1" 'PING\r\n') == +PONG ]]; }

# holder PORT: the program and the process id of who listens there, or a question mark for each where only
# root may see it; fails when nobody listens
holder() {
  local line
  # To ask for the process is to look through the open files of every process, which are many on a busy machine.
  [[ -n $(ss -ltnH "sport = :$1") ]] || return 1
  line=$(ss -ltnpH "sport = :$1" | sed -n 1p)
  [[ -n $line ]] || return 1
  if [[ $line =~ users:\(\(\"([^\"]+)\",pid=([0-9]+) ]]; then
    printf '%s %s\n' "${BASH_REMATCH[1]// /_}" "${BASH_REMATCH[2]}"
  else
    printf '? ?\n'
  fi
}
