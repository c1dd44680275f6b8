#!/bin/sh
# Fails when libmuster.so shows any symbol but those of muster.h, and names them.
#   check_exports.sh LIBRARY
set -eu
shown=$(nm -D --defined-only "$1" | awk '{print $3}' | sed 's/@.*//' | sort -u)
[ -n "$shown" ] || { echo "$1 exports nothing"; exit 1; }
strange=$(printf '%s\n' "$shown" | grep -v '^muster_' | grep -v '^MUSTER_0$' || true)
[ -z "$strange" ] || { echo "$1 also exports:"; echo "$strange"; exit 1; }
# Every function that the header declares is there.
header=$(dirname "$0")/../include/muster/muster.h
for name in $(tr '\n' ' ' < "$header" | grep -o 'MUSTER_API [a-z][^(;]*(' |
              grep -o 'muster_[a-z_]*($' | tr -d '('); do
    printf '%s\n' "$shown" | grep -qx "$name" || { echo "$1 lacks $name"; exit 1; }
done
