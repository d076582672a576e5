#!/usr/bin/env bash
# mutants.sh verifier|program [N/M [--iterate]]: changes one operator, branch or result of the code at a time, and says which
# changes no test notices. The second argument takes the N-th of M parts of the list, for several machines or a sample. With
# --iterate, what an earlier run has seen noticed is not tried again.
#
# The verifier's changes are tested natively, by the tests of its own crate. The settlement program is compiled anew for each
# change, for `dev`, and its tests run on that file; programs/toolchain/setup.sh has to have been run. Results are in
# target/mutants-*: missed.txt has what nobody noticed. docs/mutants.md explains what is known to be left.
# Needs `cargo install cargo-mutants`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
part=${2:-1/1}
mkdir -p target
cargo mutants --version >/dev/null 2>&1 || { echo "mutants.sh: run cargo install cargo-mutants" >&2 && exit 1; }

verifier() {
    # The first part of cargo-mutants' own count is 0.
    cargo mutants --package cairn-verifier --test-package cairn-verifier --profile release \
        --shard "$((${part%/*} - 1))/${part#*/}" --output target/mutants-verifier "$@"
}

program() {
    local out=$root/target/mutants-program
    mkdir -p "$out"
    # Not local: the trap needs it when this function has ended.
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    cp -r Cargo.toml crates programs "$copy"
    rm -rf "$copy/programs/target"
    cargo mutants --list --json --diff --dir programs --package cairn-settlement >"$out/list.new"
    if [ "${1:-}" != --iterate ] || ! cmp -s "$out/list.new" "$out/list.json"; then
        : >"$out/caught.txt" && : >"$out/unviable.txt"
    fi
    : >"$out/missed.txt"
    mv "$out/list.new" "$out/list.json"
    # One change a file, as a patch, its description and its file on the first lines.
    rm -rf "$out/changes" && mkdir "$out/changes"
    python3 - "$out" "$part" <<'PYTHON'
import json, sys
out, part = sys.argv[1:]
nth, of = map(int, part.split('/'))
for number, mutant in enumerate(json.load(open(f'{out}/list.json'))):
    if number % of == nth - 1:
        with open(f'{out}/changes/{number:04}.diff', 'w') as file:
            file.write(f"{mutant['name']}\n{mutant['file']}\n{mutant['diff']}")
PYTHON
    # Built once, and not looked at again: the sources may change meanwhile.
    cargo test --release --locked --workspace --test settlement_program --no-run --message-format json >"$out/build.json"
    cp "$(sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' "$out/build.json" | grep /settlement_program-)" "$out/tests"
    local change name total done=0
    total=$(find "$out/changes" -name '*.diff' | wc -l)
    for change in "$out"/changes/*.diff; do
        name=$(head -1 "$change")
        done=$((done + 1))
        ! grep -qxF -e "$name" "$out"/{caught,unviable}.txt || continue
        cp -r programs/settlement "$copy/programs/"
        tail -n +3 "$change" | patch --quiet "$copy/programs/$(sed -n 2p "$change")"
        if ! "$copy/programs/toolchain/build.sh" --profile dev --out "$out/mutant.so" >"$out/build.log" 2>&1; then
            echo "$name" >>"$out/unviable.txt"
        elif CAIRN_PROGRAM_SO=$out/mutant.so timeout 300 "$out/tests" >"$out/test.log" 2>&1; then
            echo "$name" | tee -a "$out/missed.txt"
        else
            echo "$name" >>"$out/caught.txt"
        fi
        printf '%d of %d (%d s)\n' "$done" "$total" "$SECONDS" >&2
    done
    printf '%d caught, %d missed, %d do not compile\n' \
        "$(wc -l <"$out/caught.txt")" "$(wc -l <"$out/missed.txt")" "$(wc -l <"$out/unviable.txt")"
    [ ! -s "$out/missed.txt" ]
}

case ${1:-} in
verifier | program) "$1" "${@:3}" ;;
*) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0" && exit 2 ;;
esac
