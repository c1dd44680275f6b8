#!/usr/bin/env bash
# Prints where promtool is, which checks rules and metrics for the tests: the one MUSTER_PROMTOOL
# names, one that is installed, else the one of Debian's package, unpacked to build/tools. It is not
# installed, as that would begin to run a server of Prometheus. Status 1, with a sentence: there is
# none, and it cannot be fetched; the tests that want it are skipped then.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

unpacked=$PWD/build/tools/promtool
for known in "${MUSTER_PROMTOOL:-}" "$(command -v promtool || true)" "$unpacked"; do
    if [[ -n $known && -x $known ]]; then
        printf '%s\n' "$known"
        exit 0
    fi
done

say() {
    printf 'promtool: %s\n' "$*" >&2
}

if [[ -n ${MUSTER_SKIP_INSTALL:-} ]] || ! command -v apt-get >/dev/null; then
    say "there is none, so the tests that ask it are skipped (MUSTER_PROMTOOL names one)"
    exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fetch() {
    (cd "$folder" && apt-get -o APT::Sandbox::User="$(id -un)" -q download prometheus) >&2
}
say "fetching Debian's package prometheus (20 MB) for it"
if ! fetch && ! { [[ $(id -u) -eq 0 ]] && apt-get update -q >&2 && fetch; }; then
    say "it could not be fetched, so the tests that ask it are skipped; apt's own words are above"
    exit 1
fi
dpkg-deb -x "$folder"/prometheus_*.deb "$folder/content"
mkdir -p "${unpacked%/*}"
mv "$folder/content/usr/bin/promtool" "$unpacked"
printf '%s\n' "$unpacked"
