# shellcheck shell=bash
# What the tests need beside the cluster: a real browser, checkers written in Python, and what counts instructions.

# The tests' own Python, with what requirements.txt names.
python_home=$root/.build/python

missing_test_packages() {
  /usr/bin/python3 -c 'import ensurepip' 2>/dev/null || printf 'python3\npython3-venv\n'
  command -v chromium >/dev/null || printf 'chromium\n'
  [[ -e /usr/include/valgrind/callgrind.h ]] || printf 'valgrind\n'
}

# install_python: makes python_home, anew when requirements.txt has changed
install_python() {
  local wanted=$root/Tests/requirements.txt
  if cmp -s "$wanted" "$python_home/requirements.txt"; then return 0; fi
  rm -rf "$python_home"
  /usr/bin/python3 -m venv "$python_home" || return
  "$python_home/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted" || return
  cp "$wanted" "$python_home/requirements.txt"
}
