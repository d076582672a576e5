#!/usr/bin/env bash
# Prepares a Debian 12 machine to compile programs to sBPF, without any tool of Solana's own.
# Finished steps are skipped, so running it twice costs nothing. What comes from where:
#
#   apt (bookworm)   rustc-web, cargo-web, rust-web-src and core for BPF: a recent stable compiler, with the source of std
#   apt (sid)        libllvm23 and the libraries it loads, unpacked into a folder, never installed
#   cargo            sbpf-linker, which links LLVM bitcode to an sBPF ELF
#   this folder      wide_multiply.rs, the 128-bit product that LLVM calls
#
# Everything that is not an apt package lands in $CAIRN_SBPF_HOME (default ~/.cache/cairn/sbpf).
set -euo pipefail

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${CAIRN_SBPF_HOME:-$HOME/.cache/cairn/sbpf}
linker=0.2.6
llvm_package=libllvm23
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
mkdir -p "$home/bin"

if ! [ -x /usr/bin/rustc ] || ! [ -x /usr/bin/cargo ] || ! [ -d /usr/lib/rustlib/src/rust/library/std ] ||
    ! [ -d /usr/lib/rustlib/bpfel-unknown-none ]; then
    echo "toolchain: installing the compiler"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" apt-get install -qq -y --no-install-recommends \
        rustc-web cargo-web rust-web-src libstd-rust-web-dev-bpf gcc libc6-dev python3-minimal >/dev/null
fi

# The LLVM that comes with bookworm rejects functions of more than five arguments and 128-bit
# results on BPF. LLVM 23 accepts both, is in sid only, and wants a newer C library than this
# machine's; so it is unpacked with its own and started through its own dynamic loader.
if ! [ -e "$home/llvm/complete" ]; then
    echo "toolchain: fetching LLVM"
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    mkdir -p "$scratch"/{index/partial,cache/archives/partial,packages}
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | sort -u | head -n 1)
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$scratch/sources"
    sid=(-o "Dir::Etc::SourceList=$scratch/sources" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$scratch/index" -o "Dir::Cache=$scratch/cache"
        -o Debug::NoLocking=1 -o APT::Sandbox::User=root)
    apt-get "${sid[@]}" -qq update
    mapfile -t libraries < <(apt-cache "${sid[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts \
        --no-breaks --no-replaces --no-enhances "$llvm_package" | grep -E '^(lib|zlib1g$)' | grep -v debconf | sort -u)
    (cd "$scratch/packages" && apt-get "${sid[@]}" -qq download "${libraries[@]}")
    rm -rf "$home/llvm"
    mkdir -p "$home/llvm"
    for package in "$scratch"/packages/*.deb; do dpkg-deb -x "$package" "$home/llvm"; done
    dpkg-deb -f "$scratch"/packages/"$llvm_package"_*.deb Version >"$home/llvm/version"
    touch "$home/llvm/complete"
fi

if [ "$("$home/linker/bin/sbpf-linker-version" 2>/dev/null || true)" != "$linker" ]; then
    echo "toolchain: building sbpf-linker $linker"
    # Outside the repository, so that its pinned toolchain and build flags do not apply.
    (cd "$home" && CARGO_TARGET_DIR="$home/linker-build" RUSTC=/usr/bin/rustc /usr/bin/cargo install --quiet --locked \
        --force sbpf-linker --version "$linker" --root "$home/linker")
    rm -rf "$home/linker-build"
    printf '#!/bin/sh\necho %s\n' "$linker" >"$home/linker/bin/sbpf-linker-version"
    chmod +x "$home/linker/bin/sbpf-linker-version"
fi

cat >"$home/bin/sbpf-linker" <<'WRAPPER'
#!/bin/sh
# Runs the linker on the unpacked LLVM, through that LLVM's own loader and C library.
top=$(cd "$(dirname "$0")/.." && pwd)
libraries=$top/llvm/usr/lib/x86_64-linux-gnu
LD_LIBRARY_PATH=$libraries exec "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$top/linker/bin/sbpf-linker" "$@"
WRAPPER
chmod +x "$home/bin/sbpf-linker"

RUSTC_BOOTSTRAP=1 /usr/bin/rustc --edition 2024 --target bpfel-unknown-none --crate-type rlib --crate-name wide_multiply \
    -O --emit obj -C panic=abort "$source_dir/wide_multiply.rs" -o "$home/wide_multiply.o"

echo "toolchain: ready ($(/usr/bin/rustc --version); LLVM $(cat "$home/llvm/version"); sbpf-linker $linker)"
