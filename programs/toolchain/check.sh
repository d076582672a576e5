#!/usr/bin/env bash
# Rebuilds the programs and compares them with the committed files.
#
# With the tools that the committed files were made with, the bytes have to be the same. With others (Debian moves on)
# they need not be: both versions are printed, and the files should be refreshed. Either way the programs' tests run on
# the committed files, on the rebuilt ones, and on sBPF v0 builds.
# The toolchain is installed if it is not there; where that is impossible only the committed files are tested, and that
# is said.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
committed=$repository/programs
rebuilt=$(mktemp -d)
trap 'rm -rf "$rebuilt"' EXIT
# Each with its profile.
files=(settlement.so:production settlement-dev.so:dev escrow.so:production escrow-dev.so:dev)

# program_of FILE, which is NAME.so or NAME-dev.so
program_of() {
    local name=${1%.so}
    echo "${name%-dev}"
}

# test_programs FOLDER WHAT
test_programs() {
    echo "check: program tests on $2"
    (cd "$repository" && CAIRN_PROGRAM_SO=$1/settlement-dev.so CAIRN_PRODUCTION_PROGRAM_SO=$1/settlement.so \
        CAIRN_ESCROW_SO=$1/escrow-dev.so CAIRN_PRODUCTION_ESCROW_SO=$1/escrow.so \
        cargo test --quiet --release -p cairn-tests --test settlement_program --test escrow)
}

for each in "${files[@]}"; do
    file=${each%:*} profile=${each#*:}
    record=$committed/$(program_of "$file").toml
    recorded=$(sed -n "/^\[$profile\]\$/,/^\[/s/^sha256 = \"\(.*\)\"\$/\1/p" "$record")
    actual=$(sha256sum "$committed/$file" | cut -d ' ' -f 1)
    if [ "$recorded" != "$actual" ]; then
        echo "check: programs/$file has SHA-256 $actual, but its record says $recorded" >&2
        exit 1
    fi
done
test_programs "$committed" "the committed files"

# Installing the tools needs Debian's mirrors. CAIRN_REQUIRE_SBPF=1 makes their absence an error.
if ! "$here/setup.sh"; then
    echo "check: the sBPF toolchain cannot be installed here, the programs were NOT rebuilt" >&2
    [ "${CAIRN_REQUIRE_SBPF:-}" != 1 ] || exit 1
    exit 0
fi

same=yes
for each in "${files[@]}"; do
    file=${each%:*} options=(--program "$(program_of "${each%:*}")" --profile "${each#*:}")
    "$here/build.sh" "${options[@]}" --out "$rebuilt/v3/$file"
    "$here/build.sh" "${options[@]}" --version v0 --out "$rebuilt/v0/$file"
    cmp -s "$committed/$file" "$rebuilt/v3/$file" || same=
done
if [ -n "$same" ]; then
    echo "check: the rebuilt programs are the committed ones, byte for byte"
else
    "$here/versions.sh" >"$rebuilt/versions"
    # Both records are written by one run.
    if diff <(sed -n '/^\[toolchain\]$/,$p' "$committed/settlement.toml" | tail -n +2) "$rebuilt/versions" >"$rebuilt/difference"; then
        echo "check: the same tools give other programs: the committed files were not made from these sources" >&2
        echo "check: run 'make program' and commit what it writes" >&2
        exit 1
    fi
    echo "check: the programs were made with other tools than this machine has (< recorded, > installed):"
    cat "$rebuilt/difference"
    echo "check: please refresh them with 'make program'"
    test_programs "$rebuilt/v3" "the rebuilt files"
fi
test_programs "$rebuilt/v0" "the sBPF v0 builds"
