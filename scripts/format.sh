#!/usr/bin/env bash
# Formats all sources as .clang-format has it; with --check only says which are not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folders=()
for folder in src sdk bench tests cmake; do
    [[ ! -d $folder ]] || folders+=("$folder")
done

sources() {
    find "${folders[@]}" \( -name target -o -name node_modules \) -prune -o -type f \
        \( -name '*.h' -o -name '*.hpp' -o -name '*.c' -o -name '*.cc' -o -name '*.cpp' \) -print0
}

case ${1:-} in
    "") sources | xargs -0 -r -n 16 -P "$(nproc)" clang-format-19 -i ;;
    --check)
        if ! sources | xargs -0 -r -n 16 -P "$(nproc)" clang-format-19 --dry-run -Werror; then
            echo "Some sources are not formatted; run ./dev fmt." >&2
            exit 1
        fi
        ;;
    *)
        echo "usage: scripts/format.sh [--check]" >&2
        exit 2
        ;;
esac
