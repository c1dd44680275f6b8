#!/bin/sh
# build_driver.sh VERSION OUT: makes OUT/driver.jar and OUT/lib for one version of the client.
# Asks the network only for what the local Maven cache lacks.
set -eu
version=$1
out=$2
pom="$(cd "$(dirname "$0")" && pwd)/pom.xml"

build() {
    mvn -B -q "$@" -f "$pom" -Dregistry.version="$version" -Dout="$out" package
}

mkdir -p "$out"
if ! build -o >"$out/build.log" 2>&1; then
    build
fi
test -s "$out/driver.jar"
test -s "$out/lib/registry-client-all-$version.jar"
echo "driver for registry-client-all $version: $out/driver.jar"
