#!/usr/bin/env bash
# The dependency arrows of ARCHITECTURE.md, checked against what cargo resolves.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# crate: the workspace crates it may name
declare -A may=(
    [goldilocks]=""
    [schnorr]="goldilocks"
    [types]="goldilocks schnorr"
    [interface]="goldilocks types"
    [proto]="types"
    [circuits]="goldilocks schnorr types"
    [telemetry]=""
    [chain]="types interface telemetry"
    [client]="schnorr types interface proto telemetry"
    [objects]="types"
    [prover]="schnorr types proto telemetry circuits"
    [sequencer]="types interface proto telemetry chain objects prover"
    [indexer]="types interface proto telemetry chain objects"
    [localnet]="schnorr types interface proto chain client objects prover sequencer indexer"
    [cairn]="schnorr types interface proto chain client objects prover sequencer indexer localnet"
    [tests]="goldilocks schnorr types interface proto chain client objects circuits prover sequencer indexer localnet"
)
# pattern of outside crates: who may name them
declare -A only=(
    ["^(plonky2|starky)"]="circuits prover"
    ["^rocksdb$"]="sequencer indexer"
    ["^(solana|litesvm|agave)"]="chain tests"
    ["^anchor"]=""
)

package() { [ "$1" = cairn ] && echo cairn || echo "cairn-$1"; }
failed=0
complain() { echo "arrow: $*" >&2; failed=1; }

for crate in "${!may[@]}"; do
    direct=$(cargo tree --locked -p "$(package "$crate")" --edges normal --depth 1 --prefix none | tail -n +2 | awk '{ print $1 }' | sort -u)
    for dependency in $direct; do
        if [[ $dependency == cairn-* ]]; then
            [[ " ${may[$crate]} " == *" ${dependency#cairn-} "* ]] || complain "$crate may not depend on ${dependency#cairn-}"
        fi
        for pattern in "${!only[@]}"; do
            if [[ $dependency =~ $pattern ]]; then
                [[ " ${only[$pattern]} " == *" $crate "* ]] || complain "$crate may not name $dependency"
            fi
        done
    done
done

members=$(cargo metadata --locked --no-deps --format-version 1 | grep -o '"name":"cairn[a-z-]*","version"' | cut -d'"' -f4 | sort -u)
for member in $members; do
    [[ -v may[${member#cairn-}] ]] || complain "$member is in no arrow: add it to $0"
done
stray=$(git grep -lE '\brocksdb::' -- '*.rs' | grep -v '/src/store' || true)
[ -z "$stray" ] || complain "only store modules may name rocksdb: $stray"

[ $failed -eq 0 ] && echo "arrows: ${#may[@]} crates, all point down"
exit $failed
