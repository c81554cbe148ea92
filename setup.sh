#!/usr/bin/env bash
# Sets Vademecum up on Debian 12: ./setup.sh demo | test | install [PREFIX]
set -euo pipefail
cd "$(dirname "$0")"

readonly BUILD=build/release
readonly PACKAGES=(
  build-essential cmake ninja-build pkg-config
  libsqlite3-dev libcli11-dev libexpected-dev libspdlog-dev nlohmann-json3-dev
  libicu-dev libuchardet-dev libpoppler-cpp-dev poppler-data libgumbo-dev libcmark-gfm-dev
  libcmark-gfm-extensions-dev libpugixml-dev libzip-dev libxxhash-dev libzstd-dev libseccomp-dev
  libtomlplusplus-dev libcurl4-openssl-dev libboost1.81-dev libedit-dev zlib1g-dev libgtest-dev
  libgmock-dev libjs-pdf libjs-marked node-dompurify libjs-chart.js)

usage() {
  cat <<'EOF'
usage: ./setup.sh demo              build, index data/manuals, ask five questions
       ./setup.sh test              build and run all tests
       ./setup.sh install [PREFIX]  build and install vade (default: /usr/local)
       ./setup.sh packages [MORE]   only install what the others need, and MORE

Each installs the Debian packages it needs (root or sudo); running it again is quick and harmless.
EOF
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# install_packages [MORE...]
install_packages() {
  local missing=()
  for package in "${PACKAGES[@]}" "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "== Installing ${#missing[@]} Debian packages" >&2
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# build TARGET...: configures once, then builds the targets. CMAKE_ARGS adds to the configuration.
build() {
  echo "== Building $*" >&2
  # shellcheck disable=SC2086  # CMAKE_ARGS is a list of words
  cmake -S . -B "$BUILD" -G Ninja -DCMAKE_BUILD_TYPE=Release ${CMAKE_ARGS:-} >/dev/null
  cmake --build "$BUILD" --target "$@"
}

# Prints a command as a user would type it, then runs it.
show() {
  printf '\n$'
  printf ' %q' "$@"
  printf '\n'
  "$@"
}

# expect CODE TEXT COMMAND...: shows the command; its exit code and output must be as they should.
expect() {
  local want_code=$1 want_text=$2 code=0 output
  shift 2
  output=$(show "$@" 2>&1) || code=$?
  printf '%s\n' "$output"
  if [ "$code" -ne "$want_code" ]; then
    echo "!! exit code $code, expected $want_code" >&2
    failures=$((failures + 1))
  elif ! grep -qF -- "$want_text" <<<"$output"; then
    echo "!! expected to read: $want_text" >&2
    failures=$((failures + 1))
  fi
}

demo() {
  install_packages
  build vade vade-extract vade-extract-pdf
  demo_folder=$(mktemp -d)  # not local: the trap runs when this function is gone
  trap 'rm -rf "$demo_folder"' EXIT
  export VADE_STORE=$demo_folder/library.db PATH="$PWD/$BUILD/bin:$PATH"
  failures=0
  expect 0 "13 new" vade index data/manuals
  echo; echo "== A procedure"
  expect 0 "1.5 Nm" vade ask "How do I change the nozzle of my LW-300?"
  echo; echo "== An exact value from a table"
  expect 0 "5.2 bar" \
    vade ask "What is the highest cut-out pressure that can be set on the AquaLift P350?"
  echo; echo "== Korean"
  expect 0 "돌기" vade ask "RC-10 고무 패킹 교체 방법을 알려 주세요"
  echo; echo "== Found by meaning: the page shares no content word with the question"
  expect 0 "Brush the fluff" vade ask "After much sewing, how do I get rid of the lint?"
  echo; echo "== Not in the manuals"
  expect 8 "Not in these documents" vade ask "What does error E-099 mean on the 3D printer?"
  if [ "$failures" -ne 0 ]; then
    echo "== Demo: $failures of its checks failed" >&2
    exit 1
  fi
  printf '\n== Demo: every answer was as it should be\n'
}

run_tests() {
  install_packages
  build all
  ctest --test-dir "$BUILD" --output-on-failure -j "$(nproc)" "$@"
}

install_vade() {
  local prefix=${1:-/usr/local}
  install_packages
  build vade vade-extract vade-extract-pdf
  local root=()
  mkdir -p "$prefix" 2>/dev/null && [ -w "$prefix" ] || root=(as_root)
  "${root[@]}" cmake --install "$BUILD" --prefix "$prefix"
}

case "${1:-}" in
  demo) demo ;;
  test) shift; run_tests "$@" ;;
  install) install_vade "${2:-}" ;;
  packages) shift; install_packages "$@" ;;
  -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
