#!/usr/bin/env bash
# Installs the system libraries that Triptych builds against, or the packages that are named, on Debian 12 or a relative. Does nothing
# if they are there.
set -euo pipefail

packages=("$@")
[ $# -gt 0 ] || packages=(make pkg-config libdnnl-dev libopenblas-openmp-dev libjpeg-dev libpng-dev libsqlite3-dev libpq-dev zlib1g-dev
    libcurl4-openssl-dev curl jq)

missing=()
for package in "${packages[@]}"; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

command -v apt-get >/dev/null || {
    echo "error: expected apt-get to install ${missing[*]}; on another system install their equivalents" >&2
    exit 1
}
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
echo "installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
