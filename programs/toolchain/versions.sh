#!/usr/bin/env bash
# Prints the versions of the tools that decide the bytes of a program, as TOML.
set -euo pipefail
home=${CAIRN_SBPF_HOME:-$HOME/.cache/cairn/sbpf}
echo "rustc = \"$(dpkg-query -W -f '${Version}' rustc-web)\""
echo "rust_source = \"$(dpkg-query -W -f '${Version}' rust-web-src)\""
echo "llvm = \"$(cat "$home/llvm/version")\""
echo "sbpf_linker = \"$("$home/linker/bin/sbpf-linker-version")\""
