#!/usr/bin/env bash
# Installs the Debian packages of scripts/packages.txt that are missing. Does nothing, quickly, when
# none is. Needs root or sudo only when something is missing.
#
#   scripts/install.sh               install what is missing
#   scripts/install.sh --list        print what is missing, one a line; status 1 when anything is
#   scripts/install.sh --for peers   install those of scripts/packages_peers.txt instead
set -euo pipefail

list="$(dirname "${BASH_SOURCE[0]}")/packages.txt"
if [[ ${1:-} == --for ]]; then
    list=${list%.txt}_$2.txt
    shift 2
fi

say() {
    printf 'install: %s\n' "$*" >&2
}

die() {
    say "$*"
    exit 1
}

# Those of the named packages that are installed. dpkg-query fails when it does not know one, which
# is no error here.
installed() {
    { dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true; } |
        sed -n 's/^installed //p'
}

# Names of missing packages, one a line.
missing_packages() {
    local -a wanted
    mapfile -t wanted < <(sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$list")
    # comm wants both sides in the same order, whatever the language of the machine.
    local LC_ALL=C
    export LC_ALL
    comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) <(installed "${wanted[@]}" | sort -u)
}

run_as_root() {
    if [[ $(id -u) -eq 0 ]]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    die "This is not a Debian machine, so nothing can be installed here. Install the likes of" \
        "scripts/${list##*/} by hand and set MUSTER_SKIP_INSTALL=1."
fi

missing=$(missing_packages)
if [[ ${1:-} == --list ]]; then
    [[ -z $missing ]] && exit 0
    printf '%s\n' "$missing"
    exit 1
fi
[[ -z $missing ]] && exit 0

mapfile -t names <<<"$missing"
say "${#names[@]} Debian packages are missing: ${names[*]}"
if [[ $(id -u) -ne 0 ]] && ! command -v sudo >/dev/null; then
    die "Installing them needs root, and there is no sudo. As root, run: scripts/install.sh"
fi
if [[ $(id -u) -ne 0 ]] && [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; then
    die "Installing them needs root, and sudo would ask for a password without a terminal to ask" \
        "on. As root, run: scripts/install.sh"
fi
version=$(. /etc/os-release 2>/dev/null && printf '%s' "${ID:-?} ${VERSION_ID:-?}") || version="?"
if [[ $version != "debian 12" ]]; then
    say "Note: the package names are Debian 12's and this is ${version}; trying anyway."
fi

say "reading the package lists (apt-get update)"
run_as_root apt-get update -q >&2 ||
    die "apt-get update failed. Is the network there, and are the sources of apt right?"
# Slim images lack the folder in which the JDK registers its manual pages.
run_as_root mkdir -p /usr/share/man/man1
say "installing (all of packages.txt: 370 MB to fetch and 1.5 GB on disk, a minute or more)"
run_as_root apt-get install -y -q --no-install-recommends "${names[@]}" >&2 ||
    die "apt-get install failed; its own words are above."

missing=$(missing_packages)
[[ -z $missing ]] || die "apt-get said yes, but these are still missing: ${missing//$'\n'/ }"
say "done"
