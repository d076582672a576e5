#!/usr/bin/env bash
# The dependency arrows of ARCHITECTURE.md, checked against what cargo resolves.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# crate: the workspace crates it may name
declare -A may=(
    [goldilocks]=""
    [schnorr]="goldilocks"
    [types]="goldilocks schnorr"
    [verifier]="goldilocks types"
    [interface]="goldilocks types verifier"
    [proto]="types"
    [circuits]="goldilocks schnorr types verifier"
    [telemetry]=""
    [chain]="types interface verifier telemetry"
    [client]="schnorr types interface proto telemetry"
    [objects]="types"
    [prover]="schnorr types proto telemetry circuits"
    [sequencer]="types interface proto telemetry chain objects prover"
    [indexer]="types interface proto telemetry chain objects"
    [localnet]="schnorr types interface proto chain client objects prover sequencer indexer"
    [cairn]="schnorr types interface proto chain client objects prover sequencer indexer localnet verifier"
    [tests]="goldilocks schnorr types verifier interface proto chain client objects circuits prover sequencer indexer localnet"
)
# crate of the programs' own workspace: the crates it may name
declare -A may_program=(
    [settlement]="types verifier interface"
    [escrow]="types interface"
)
# pattern of outside crates: who may name them
declare -A only=(
    ["^(plonky2|starky)"]="circuits prover"
    ["^rocksdb$"]="sequencer indexer"
    ["^(solana|litesvm|agave)"]="chain tests settlement"
    ["^(anchor|pinocchio)"]="settlement escrow"
)

package() { [ "$1" = cairn ] && echo cairn || echo "cairn-$1"; }
failed=0
complain() { echo "arrow: $*" >&2; failed=1; }

# crate, the crates it may name, its workspace
check() {
    local direct dependency pattern
    direct=$(cargo tree --locked --manifest-path "$3" -p "$(package "$1")" --edges normal --depth 1 --prefix none | tail -n +2 | awk '{ print $1 }' | sort -u)
    for dependency in $direct; do
        if [[ $dependency == cairn-* ]]; then
            [[ " $2 " == *" ${dependency#cairn-} "* ]] || complain "$1 may not depend on ${dependency#cairn-}"
        fi
        for pattern in "${!only[@]}"; do
            if [[ $dependency =~ $pattern ]]; then
                [[ " ${only[$pattern]} " == *" $1 "* ]] || complain "$1 may not name $dependency"
            fi
        done
    done
}
members() { cargo metadata --locked --no-deps --format-version 1 --manifest-path "$1" | grep -o '"name":"cairn[a-z-]*","version"' | cut -d'"' -f4 | sort -u; }

for crate in "${!may[@]}"; do check "$crate" "${may[$crate]}" Cargo.toml; done
for crate in "${!may_program[@]}"; do check "$crate" "${may_program[$crate]}" programs/Cargo.toml; done
for member in $(members Cargo.toml); do
    [[ -v may[${member#cairn-}] ]] || complain "$member is in no arrow: add it to $0"
done
for member in $(members programs/Cargo.toml); do
    [[ -v may_program[${member#cairn-}] ]] || complain "$member is in no arrow: add it to $0"
done
stray=$(git grep -lE '\brocksdb::' -- '*.rs' | grep -v '/src/store' || true)
[ -z "$stray" ] || complain "only store modules may name rocksdb: $stray"

[ $failed -eq 0 ] && echo "arrows: $((${#may[@]} + ${#may_program[@]})) crates, all point down"
exit $failed
