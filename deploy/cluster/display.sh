# shellcheck shell=bash
# What is said to the person in front of the terminal.

if [[ -t 1 ]]; then
  bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m' erase=$'\r\e[K'
else
  bold='' green='' red='' plain='' erase=''
fi

say() { printf '%s%s==>%s %s\n' "$erase" "$bold" "$plain" "$*"; }

fail() {
  printf '%s%serror:%s %s\n' "$erase" "$red" "$plain" "$*" >&2
  exit 1
}

# progress TEXT: one line that is replaced by the next; nothing where there is no terminal
progress() { [[ -z $erase ]] || printf '%s    %s' "$erase" "$*"; }

# done_line NAME TEXT
done_line() { printf '%s    %s%-10s%s %s\n' "$erase" "$green" "$1" "$plain" "$2"; }
