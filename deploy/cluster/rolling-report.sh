# shellcheck shell=bash disable=SC2154
# What a rolling restart says, to people or to programs. It uses what deploy/rolling-restart keeps: the nodes that
# are `finished` and `pending`, the one that is `draining`, and since when it runs.

# report EVENT NODE TEXT [MEMBERS]: for people, or for programs, MEMBERS being more of the JSON object
report() {
  local since
  since=$(elapsed "$started")
  if [[ $json == yes ]]; then
    printf '{"event":"%s"%s,"at_s":%s%s}\n' "$1" "${2:+,\"node\":\"$2\"}" "$since" "${4:+,$4}"
  elif [[ -n $2 ]]; then
    done_line "$2" "$3"
  else
    say "$3"
  fi
}

# elapsed SINCE: seconds with a tenth, of times as `now` gives them
now() { printf '%s\n' "$((10#${EPOCHREALTIME/[^0-9]/} / 1000))"; }
elapsed() {
  local ms=$(($(now) - $1))
  printf '%d.%d\n' $((ms / 1000)) $((ms % 1000 / 100))
}

# text_json TEXT: as a JSON string, control characters as spaces
text_json() {
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\n'/\\n}
  printf '"%s"' "${text//[[:cntrl:]]/ }"
}

# stop_here NODE STEP REASON: says what is wrong and what to do; what was done so far is noted
stop_here() {
  trap - INT TERM EXIT
  local again
  again="deploy/rolling-restart --resume$([[ $target == local ]] || printf ' --compose')"
  if [[ $json == yes ]]; then
    printf '{"event":"stopped","node":"%s","step":"%s","reason":%s,"done":[%s],"left":[%s],"at_s":%s}\n' \
      "$1" "$2" "$(text_json "$3")" "$(quoted "${finished[@]}")" "$(quoted "${pending[@]}")" "$(elapsed "$started")"
  else
    printf '%s%serror:%s %s: %s: %s\n' "$erase" "$red" "$plain" "$1" "$2" "$3" >&2
    printf '  replaced and proved: %s\n  left: %s\n' "${finished[*]:-none}" "${pending[*]}" >&2
    printf '  The other nodes serve. When %s can start again: %s\n' "$1" "$again" >&2
  fi
  exit 1
}

quoted() {
  local separator='' name
  for name in "$@"; do
    printf '%s"%s"' "$separator" "$name"
    separator=,
  done
}

interrupted() {
  trap - INT TERM EXIT
  if [[ -n $draining ]]; then operator_request "$draining" DELETE "/v1/nodes/$draining/drain" >/dev/null || true; fi
  if [[ $json == yes ]]; then
    printf '{"event":"interrupted","node":"%s","at_s":%s}\n' "${pending[0]:-}" "$(elapsed "$started")"
  else
    printf '%s%sinterrupted%s%s; go on with --resume\n' "$erase" "$red" "$plain" \
      "${draining:+: the drain of $draining is called off}" >&2
  fi
  exit 130
}
