#!/usr/bin/env bash
# Installs the system packages that building Cairn needs on Debian 12. Does nothing, quickly, when they are there.
set -euo pipefail

if ! command -v cargo >/dev/null; then
    echo "cargo is missing: install rustup, then run this again" >&2
    exit 1
fi

# libclang: RocksDB's bindings are generated while building. clang and g++: RocksDB itself.
packages=(clang libclang-dev g++ make pkg-config)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing ${missing[*]}"
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update -q
"${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
