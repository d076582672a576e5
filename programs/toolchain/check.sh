#!/usr/bin/env bash
# Rebuilds the settlement program and compares it with the committed file.
#
# With the tools that the committed file was made with, the bytes have to be the same. With others (Debian moves on)
# they need not be: both versions are printed, and the file should be refreshed. Either way the program's tests run on
# the committed file, on the rebuilt one, and on an sBPF v0 build.
# The toolchain is installed if it is not there; where that is impossible only the committed file is tested, and that
# is said.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
committed=$repository/programs/settlement.so
record=$repository/programs/settlement.toml
rebuilt=$(mktemp -d)
trap 'rm -rf "$rebuilt"' EXIT

test_program() {
    echo "check: program tests on $2"
    (cd "$repository" && CAIRN_PROGRAM_SO=$1 cargo test --quiet --release -p cairn-tests --test settlement_program)
}

recorded=$(sed -n 's/^sha256 = "\(.*\)"$/\1/p' "$record")
actual=$(sha256sum "$committed" | cut -d ' ' -f 1)
if [ "$recorded" != "$actual" ]; then
    echo "check: programs/settlement.so has SHA-256 $actual, but its record says $recorded" >&2
    exit 1
fi
test_program "$committed" "the committed file"

# Installing the tools needs Debian's mirrors. CAIRN_REQUIRE_SBPF=1 makes their absence an error.
if ! "$here/setup.sh"; then
    echo "check: the sBPF toolchain cannot be installed here, the program was NOT rebuilt" >&2
    [ "${CAIRN_REQUIRE_SBPF:-}" != 1 ] || exit 1
    exit 0
fi

"$here/build.sh" --out "$rebuilt/settlement.so"
if cmp -s "$committed" "$rebuilt/settlement.so"; then
    echo "check: the rebuilt program is the committed one, byte for byte"
else
    "$here/versions.sh" >"$rebuilt/versions"
    if diff <(sed -n '/^\[toolchain\]$/,$p' "$record" | tail -n +2) "$rebuilt/versions" >"$rebuilt/difference"; then
        echo "check: the same tools give another program: programs/settlement.so was not made from these sources" >&2
        echo "check: run 'make program' and commit what it writes" >&2
        exit 1
    fi
    echo "check: the program was made with other tools than this machine has (< recorded, > installed):"
    cat "$rebuilt/difference"
    echo "check: please refresh it with 'make program'"
    test_program "$rebuilt/settlement.so" "the rebuilt file"
fi
"$here/build.sh" --version v0 --out "$rebuilt/settlement-v0.so"
test_program "$rebuilt/settlement-v0.so" "the sBPF v0 build"
