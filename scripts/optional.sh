#!/bin/sh
# Brings what the optional tests need, where that is possible: WebGPU in Node, and a GPU in software to run it on.
# What can't be had is named; the tests that need it then say that they skip.
set -u
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root" || exit 0
miss() { printf 'optional: %s\n' "$*"; }

./verde --version >/dev/null || exit 0
[ -x .node/bin/node ] && PATH=$root/.node/bin:$PATH && export PATH

if [ ! -d node_modules/webgpu ]; then
  npm install --no-save --no-audit --no-fund --loglevel=error webgpu@0.6.2 >/dev/null 2>&1 || miss "the package webgpu can't be installed here"
fi
if [ ! -e /usr/lib/chromium/vk_swiftshader_icd.json ] || ! ldconfig -p 2>/dev/null | grep -q libvulkan.so.1; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    (apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium libvulkan1) >/dev/null 2>&1 ||
      miss "SwiftShader (of the package chromium) can't be installed here"
  else
    miss "SwiftShader is not here, and only root can install it (packages chromium and libvulkan1)"
  fi
fi
exit 0
