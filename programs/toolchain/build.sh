#!/usr/bin/env bash
# build.sh [--program settlement|escrow] [--profile production|dev] [--out FILE] [--version v0|v3]: compiles a program to sBPF.
#
# Without options it writes all of them, programs/settlement.so, programs/settlement-dev.so and the same of the escrow, sBPF
# v3, and programs/settlement.toml and escrow.toml beside them: the files' SHA-256 and the versions of the tools that made
# them. With --out it writes one, that of the settlement program and of the profile `production` if none is named.
# PROGRAM_ID=... then builds for a deployment of the settlement program under another id, ESCROW_PROGRAM_ID=... of the escrow.
# toolchain/setup.sh has to have been run on the machine.
#
# The same sources and tools give the same bytes on every machine. Cargo hashes the absolute paths of path dependencies
# and the compiler's flags into symbol names, and symbol names decide the order of functions; so the sources are copied
# to a folder that is called the same everywhere, and the tools are reached through it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
home=${CAIRN_SBPF_HOME:-$HOME/.cache/cairn/sbpf}
stage=/var/tmp/cairn-program
out=
version=v3
profile=
program=
while [ $# -gt 0 ]; do
    case $1 in
    --out) out=$(realpath -m "$2") && shift 2 ;;
    --profile) profile=$2 && shift 2 ;;
    --program) program=$2 && shift 2 ;;
    --version) version=$2 && shift 2 ;;
    *) echo "build.sh: unknown option $1" >&2 && exit 2 ;;
    esac
done
# In v3 system calls are calls of known numbers, which the Solana crates are told by a cfg. A sixth argument is passed in the
# next stack frame, which v0 keeps apart by a gap; since Anchor has functions with more than five, a v0 build has to inline
# them.
case $version in
v3) extra=('--cfg=target_feature="static-syscalls"') ;;
v0) extra=(-C link-arg=--llvm-args=--inline-threshold=2000 -C link-arg=--llvm-args=--inlinecold-threshold=2000) ;;
*) echo "build.sh: sBPF $version is not supported, v0 and v3 are" >&2 && exit 2 ;;
esac
if [ -z "$out" ]; then
    [ "$version$profile$program" = v3 ] || { echo "build.sh: the committed programs are v3, all of them; use --out for others" >&2 && exit 2; }
    [ -z "${PROGRAM_ID:-}${ESCROW_PROGRAM_ID:-}" ] || { echo "build.sh: the committed programs have the committed ids; use --out for another" >&2 && exit 2; }
fi
case ${profile:=production} in
production | dev) ;;
*) echo "build.sh: there is no profile $profile, there are production and dev" >&2 && exit 2 ;;
esac
case ${program:=settlement} in
settlement | escrow) ;;
*) echo "build.sh: there is no program $program, there are settlement and escrow" >&2 && exit 2 ;;
esac
[ -x "$home/bin/sbpf-linker" ] || { echo "build.sh: run programs/toolchain/setup.sh first" >&2 && exit 1; }

mkdir -p "$stage"
exec 9>"$stage/lock"
flock 9
rm -rf "$stage/source"
mkdir -p "$stage/source/crates" "$stage/source/programs"
ln -sfn "$home" "$stage/tools"
ln -sfn "${CARGO_HOME:-$HOME/.cargo}" "$stage/cargo"
# Without their times: cargo goes by these, and would take a file that is older than the last build for the one it has
# built, though that was of another checkout, or for another id.
cp "$here/sbpf-solana.json" "$repository/Cargo.toml" "$stage/source/"
cp -r "$repository"/crates/{goldilocks,types,interface,verifier} "$stage/source/crates/"
cp -r "$repository"/programs/{Cargo.toml,Cargo.lock,settlement,escrow} "$stage/source/programs/"
if [ -n "${PROGRAM_ID:-}" ]; then
    # The declarations in the source: that of production, then that of dev.
    mapfile -t declared < <(sed -n 's/^declare_id!("\(.*\)");$/\1/p' "$repository/programs/settlement/src/lib.rs")
    [ "$profile" = production ] && committed=${declared[0]} || committed=${declared[1]}
    sed -i "s/$committed/$PROGRAM_ID/" "$stage/source/programs/settlement/src/lib.rs" "$stage/source/crates/interface/src/lib.rs"
fi
if [ -n "${ESCROW_PROGRAM_ID:-}" ]; then
    sed -i "s/^declare_id!(\"[^\"]*\");$/declare_id!(\"$ESCROW_PROGRAM_ID\");/" "$stage/source/programs/escrow/src/lib.rs"
fi

# v2 of LLVM's BPF, for every version of sBPF. From v3 on LLVM adds, subtracts and multiplies in 32 bits and relies on an
# upper half of zeros, where sBPF extends the sign: a sum from 2^31 on, used as 64 bits, would be another number.
flags=(
    -C "linker=$stage/tools/bin/sbpf-linker" -C "link-arg=--arch=$version" -C "link-arg=$stage/tools/wide_multiply.o" -C link-arg=--export=__multi3
    -C target-cpu=v2 -C target-feature=+allows-misaligned-mem-access
    -Z unstable-options -C panic=immediate-abort -C relocation-model=static
    # The stack frame of sBPF.
    -C link-arg=--llvm-args=-bpf-stack-size=4096 -C link-arg=--llvm-args=--bpf-max-stores-per-memfunc=5
    # std has no Solana of its own: this is its bare machine without threads, with an alignment for its allocator.
    '--cfg=target_os="solana"' '--cfg=target_arch="csky"' -A explicit_builtin_cfgs_in_flags "${extra[@]}"
    "--remap-path-prefix=$stage/source=/cairn" "--remap-path-prefix=$stage/cargo=/cargo"
    "--remap-path-prefix=/usr/lib/rustlib/src=/rust"
)
# compile PROGRAM PROFILE FILE
compile() {
    local features=()
    [ "$2" = production ] || features=(--features "$2")
    (
        cd "$stage/source/programs"
        # The first two admit unstable features on a stable compiler, and a target that std does not know.
        RUSTC_BOOTSTRAP=1 RUSTC_BOOTSTRAP_SYNTHETIC_TARGET=1 RUSTC=/usr/bin/rustc CARGO_HOME=$stage/cargo CARGO_TARGET_DIR=$stage/target-$version \
            CARGO_TARGET_SBPF_SOLANA_RUSTFLAGS="${flags[*]}" \
            /usr/bin/cargo build --quiet --release --locked --package "cairn-$1" "${features[@]}" \
            --target "$stage/source/sbpf-solana.json" -Zjson-target-spec -Zbuild-std=core,alloc,std \
            -Zbuild-std-features=compiler-builtins-mem
    )
    mkdir -p "$(dirname "$3")"
    cp "$stage/target-$version/sbpf-solana/release/lib$1.so" "$3"
    bytes=$(stat -c %s "$3")
    sha256=$(sha256sum "$3" | cut -d ' ' -f 1)
    echo "$3: $2, sBPF $version, $bytes bytes, SHA-256 $sha256"
}

if [ -n "$out" ]; then
    compile "$program" "$profile" "$out"
    exit 0
fi
for program in settlement escrow; do
    record=$repository/programs/$program.toml
    {
        echo "# Written by programs/toolchain/build.sh together with the programs."
        echo "sbpf = \"$version\""
    } >"$record.new"
    for each in "production:$program.so" "dev:$program-dev.so"; do
        compile "$program" "${each%:*}" "$repository/programs/${each#*:}"
        {
            echo
            echo "[${each%:*}]"
            echo "file = \"${each#*:}\""
            echo "bytes = $bytes"
            echo "sha256 = \"$sha256\""
        } >>"$record.new"
    done
    {
        echo
        echo "[toolchain]"
        "$here/versions.sh"
    } >>"$record.new"
    mv "$record.new" "$record"
done
