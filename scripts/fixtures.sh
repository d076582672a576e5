#!/usr/bin/env bash
# Captures a small site with wget into tests/fixtures/warc:
#   site.warc.gz   a crawl: robots.txt, pages, a chunked body, a redirect, a 404, an image
#   again.warc.gz  the same crawl again: revisits of what site.warc.gz holds
#   private.warc   one page that robots.txt refuses, plain
# Times and record ids differ from run to run, everything else is the same.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v wget >/dev/null || ! command -v python3 >/dev/null; then
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get install -y wget python3
fi

port=${FIXTURE_PORT:-18473}
root=$PWD
target=$root/tests/fixtures/warc
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT

coproc SITE { exec python3 "$root/scripts/fixture_server.py" "$port"; }
server=$SITE_PID
read -r -t 10 ready <&"${SITE[0]}" && [ "$ready" = ready ]

cd "$work"
crawl() { # name, further arguments of wget
    local name=$1
    shift
    # wget answers 8 when a page is missing, which one is on purpose.
    wget --quiet --user-agent "FixtureBot/1.0" --directory-prefix pages --delete-after \
        --warc-file "$name" --warc-header "operator: fixtures" "$@" || [ $? = 8 ]
}
crawl site --recursive --level 2 --page-requisites --warc-cdx "http://127.0.0.1:$port/"
# Revisits are told from their captures by the second.
sleep 1
crawl again --recursive --level 2 --page-requisites --warc-dedup site.cdx "http://127.0.0.1:$port/"
crawl private --no-warc-compression --execute robots=off "http://127.0.0.1:$port/private/notes.html"

mkdir -p "$target"
cp site.warc.gz again.warc.gz private.warc "$target/"
ls -l "$target"
