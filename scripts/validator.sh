#!/usr/bin/env bash
# The test validator: a real Solana cluster of one node, built from the crate registry into the cache.
#
#   scripts/validator.sh          build and install it, unless a working one of this version is in the cache
#   scripts/validator.sh --find   print the path of a usable one, or exit 1; builds nothing
#
# Looked for in: $CAIRN_TEST_VALIDATOR, the cache, a packed copy beside the checkout, PATH.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=4.2.2
name=solana-test-validator
cache=${CAIRN_CACHE:-$HOME/.cache/cairn}
binary=$cache/bin/$name
packed=../shared/bin/$name.zst

# Whether $1 runs and says a version that begins with $2.
says() { [[ "$({ timeout 20 "$1" --version 2>/dev/null || true; } | head -n 1)" == "$name $2"* ]]; }

find_binary() {
    if [ -n "${CAIRN_TEST_VALIDATOR:-}" ]; then
        says "$CAIRN_TEST_VALIDATOR" 4. && { echo "$CAIRN_TEST_VALIDATOR"; return 0; }
        echo "CAIRN_TEST_VALIDATOR=$CAIRN_TEST_VALIDATOR is not $name 4.x" >&2
        return 1
    fi
    if says "$binary" 4.; then echo "$binary"; return 0; fi
    if [ -f "$packed" ] && ! command -v zstd >/dev/null; then
        echo "$packed is passed over: zstd is missing" >&2
    elif [ -f "$packed" ]; then
        # Unpacked under another name until it has run: a copy for another system is not left behind.
        mkdir -p "$cache/bin"
        local fresh
        fresh=$(mktemp "$cache/bin/.$name.XXXXXX")
        if zstd -dqcf "$packed" >"$fresh" && chmod 755 "$fresh" && says "$fresh" 4.; then
            mv -f "$fresh" "$binary"
            echo "$binary"
            return 0
        fi
        rm -f "$fresh"
    fi
    local found
    if found=$(command -v "$name") && says "$found" 4.; then echo "$found"; return 0; fi
    return 1
}

case "${1:-}" in
    --find) find_binary || exit 1; exit 0 ;;
    "") ;;
    *) echo "usage: scripts/validator.sh [--find]" >&2; exit 2 ;;
esac

if says "$binary" "$version"; then
    echo "$binary is there: $("$binary" --version | head -n 1)"
    exit 0
fi

packages=(clang libclang-dev cmake protobuf-compiler libudev-dev libssl-dev pkg-config g++ make)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
fi

build=$cache/validator-build
mkdir -p "$cache/bin" "$build"
echo "building $name $version: 30 to 45 minutes on 2 cores, about 3 GB in $build, which is removed afterwards"
began=$SECONDS
(
    trap 'kill "$!" 2>/dev/null; exit' TERM
    while sleep 60 & wait "$!"; do
        units=$(find "$build/target/release/deps" -name '*.rlib' 2>/dev/null | wc -l)
        printf '%s: %d minutes, %d crates compiled\n' "$name" $(((SECONDS - began) / 60)) "$units"
    done
) &
watcher=$!
trap 'kill "$watcher" 2>/dev/null || true' EXIT
# Outside the checkout: its pinned compiler is used, its settings for the workspace's own crates are not.
toolchain=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' rust-toolchain.toml)
(
    cd "$build"
    env -u RUSTFLAGS RUSTUP_TOOLCHAIN="${RUSTUP_TOOLCHAIN:-$toolchain}" CARGO_TARGET_DIR="$build/target" \
        cargo install agave-validator --version "$version" --bin "$name" --locked --root "$build/root" --quiet
)
install -m 755 "$build/root/bin/$name" "$binary.new"
strip "$binary.new"
says "$binary.new" "$version" || { echo "$binary.new does not run" >&2; exit 1; }
mv -f "$binary.new" "$binary"
rm -rf "$build"
printf '%s: %s after %d minutes\n' "$binary" "$("$binary" --version | head -n 1)" $(((SECONDS - began) / 60))
