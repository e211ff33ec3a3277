#!/bin/sh
# Brings what the optional tests need, where that is possible: GPUs in software to run on, headless-gl for gpu.js, a NATS
# server, and Z3.
# What can't be had is named; the tests that need it then say that they skip.
set -u
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root" || exit 0
# Where ldconfig and what dpkg calls stand, which a user's own path may lack.
PATH=$PATH:/usr/sbin:/sbin && export PATH
miss() { printf 'optional: %s\n' "$*"; }

./verde --version >/dev/null || exit 0
[ -x .node/bin/node ] && PATH=$root/.node/bin:$PATH && export PATH

# Apt-get with the sources in the folder $sources, waiting for others that install.
apt() { DEBIAN_FRONTEND=noninteractive apt-get -o Dir::Etc::sourceparts="$sources" -o DPkg::Lock::Timeout=300 "$@" >/dev/null 2>&1; }

# Fills the folder $sources with the machine's own sources and, beside them, Debian's backports: the first stanza or line
# for the release, from the same place, with another suite. The machine's configuration stays as it is.
gather_sources() {
  for file in /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ -e "$file" ] && cp "$file" "$sources/"
  done
  for file in "$sources"/*.sources; do
    [ -e "$file" ] || continue
    awk -v RS= -v release="$1" '("\n" $0) ~ ("\nSuites:[^\n]*[ \t]" release "([ \t]|\n|$)") { print; exit }' "$file" |
      sed -E "/^#/d; s/^Suites:.*/Suites: $1-backports/" >"$sources/backports.new"
    [ -s "$sources/backports.new" ] && mv "$sources/backports.new" "$sources/verde-backports.sources" && return
  done
  cat /etc/apt/sources.list "$sources"/*.list 2>/dev/null |
    sed -nE "s/^(deb .*[[:space:]])$1([[:space:]].*)/\1$1-backports\2/p" | head -n 1 >"$sources/verde-backports.list"
}

# Dawn refuses the Mesa 22 of Debian 12.
has_mesa() { dpkg-query -W -f '${Version}' mesa-vulkan-drivers 2>/dev/null | grep -Eq '^(2[5-9]|[3-9][0-9])\.'; }
has_swiftshader() { [ -e /usr/lib/chromium/vk_swiftshader_icd.json ] && ldconfig -p | grep -q libvulkan.so.1; }
# To build and to run headless-gl, a mode of gpu.js.
has_display() {
  for file in /usr/include/X11/extensions/XInput2.h /usr/include/X11/extensions/Xext.h; do [ -e "$file" ] || return 1; done
  for tool in xvfb-run g++ make python3; do command -v "$tool" >/dev/null 2>&1 || return 1; done
}
# The server of the network's tests and of `verde demo --network`.
has_nats() { command -v nats-server >/dev/null 2>&1; }
# Gives processes of the network's tests a clock that is wrong.
has_faketime() { command -v faketime >/dev/null 2>&1; }
# Answers the compiler's SMT checker (scripts/smt.ts).
has_z3() { command -v z3 >/dev/null 2>&1; }
has_compiler() { [ -e /usr/include/vulkan/vk_layer.h ] && command -v gcc >/dev/null 2>&1; }

install_drivers() {
  release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  gather_sources "${release:-unknown}"
  apt update
  has_swiftshader || apt install -y --no-install-recommends chromium libvulkan1
  has_compiler || apt install -y --no-install-recommends gcc libc6-dev libvulkan-dev
  has_nats || apt install -y --no-install-recommends nats-server
  has_faketime || apt install -y --no-install-recommends faketime
  has_z3 || apt install -y --no-install-recommends z3
  has_display || apt install -y --no-install-recommends g++ make python3 libxi-dev libxext-dev xvfb xauth
  has_mesa || apt install -y --no-install-recommends -t "$release-backports" mesa-vulkan-drivers libvulkan1
}

if ! command -v dpkg-query >/dev/null 2>&1; then
  miss "this is no Debian: Vulkan drivers in software (SwiftShader, Mesa 25) are taken as they are"
elif ! { has_swiftshader && has_compiler && has_mesa && has_display && has_nats && has_faketime && has_z3; }; then
  if [ "$(id -u)" = 0 ]; then
    sources=$(mktemp -d)
    install_drivers
    rm -rf "$sources"
    why="can't be installed here"
  else
    why="is missing, and only root can install it"
  fi
  has_swiftshader || miss "SwiftShader (packages chromium, libvulkan1) $why"
  has_mesa || miss "Mesa 25 or newer with lavapipe and RADV (package mesa-vulkan-drivers; Debian 12 has it in its backports) $why"
  has_nats || miss "nats-server (package nats-server) $why"
  has_faketime || miss "libfaketime (package faketime) $why"
  has_z3 || miss "Z3 (package z3) $why"
  has_compiler || miss "a C compiler with Vulkan's headers (packages gcc, libc6-dev, libvulkan-dev) $why"
  has_display || miss "what headless-gl needs (packages g++, make, python3, libxi-dev, libxext-dev, xvfb, xauth) $why"
fi

# The packages themselves come with the others; only gl has to be compiled, against the headers beside this Node.
[ -d node_modules/webgpu ] || miss "the package webgpu can't be installed here"
if [ ! -e node_modules/gl/build/Release/webgl.node ]; then
  headers=$(node -p 'require("path").resolve(process.execPath, "../..")')
  [ -d "$headers/include/node" ] && npm_config_nodedir=$headers && export npm_config_nodedir
  # An npm whose connection dies may wait for ever.
  limit=""
  command -v timeout >/dev/null 2>&1 && limit="timeout 600"
  # A plain `npm ci` compiles it too, and takes it away where that fails.
  if [ -d node_modules/gl ]; then
    $limit npm rebuild --loglevel=error gl >/dev/null 2>&1
  else
    $limit npm install --no-save --no-audit --no-fund --loglevel=error gl@9.0.0-rc.10 >/dev/null 2>&1
  fi
fi
[ -e node_modules/gl/build/Release/webgl.node ] || miss "the package gl (headless-gl) can't be built here"
exit 0
