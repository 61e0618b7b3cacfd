#!/usr/bin/env bash
# Builds the Debian package, .build-package/triptych_VERSION_ARCHITECTURE.deb, around an executable that has Swift's runtime libraries
# within; or, with BINARY, around that one. The version is the executable's, with the commit's time where that has no tag.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=.build-package
tree=$scratch/deb/triptych

deploy/dependencies.sh debhelper dpkg-dev python3
binary=${1:-}
if [ -z "$binary" ]; then
    # The name keeps tests, which an image's build does not have, out of the package description.
    TRIPTYCH_TESTS=triptych swift build -c release --static-swift-stdlib --scratch-path "$scratch" --product triptych
    binary=$scratch/release/triptych
fi

version() {
    local release
    release=$("$binary" --version)
    if [ -n "${VERSION:-}" ]; then
        echo "$VERSION"
    elif git describe --exact-match --tags HEAD >/dev/null 2>&1 || ! git rev-parse --verify --quiet HEAD >/dev/null; then
        echo "$release"
    else
        # A tilde sorts before the release itself.
        git log -1 --date=format:%Y%m%d%H%M%S --format="$release~%cd.%h"
    fi
}

changelog() { # VERSION
    printf 'triptych (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- %s  %s\n' "$1" \
        "$maintainer" "$(date -R ${SOURCE_DATE_EPOCH:+-d@$SOURCE_DATE_EPOCH})"
}

# Licences and notices of what the executable contains.
third_party() { # FOLDER
    local name package
    for package in "$scratch"/checkouts/* .build/checkouts/*; do
        name=$(basename "$package")
        [ -d "$package" ] && [ ! -d "$1/$name" ] || continue
        install -D -m 644 -t "$1/$name" "$package"/LICENSE* $(ls "$package"/NOTICE* 2>/dev/null)
    done
    install -D -m 644 "$(dirname "$(readlink -f "$(command -v swift)")")/../share/swift/LICENSE.txt" "$1/swift/LICENSE.txt"
}

version=$(version)
maintainer=$(sed -n 's/^Maintainer: //p' deploy/debian/control)
[ -z "${DEBEMAIL:-}" ] || maintainer="${DEBFULLNAME:-Triptych} <$DEBEMAIL>"
rm -rf "$scratch/deb" "$scratch"/triptych_*.deb
mkdir -p "$tree/completions" "$tree/monitoring"
cp -r deploy/debian "$tree/debian"
sed -i "s/^Maintainer: .*/Maintainer: $maintainer/" "$tree/debian/control"
cp deploy/triptych.service "$tree/debian/triptych.service"
for unit in service timer; do cp "deploy/triptych-backup.$unit" "$tree/debian/triptych.triptych-backup.$unit"; done
changelog "$version" >"$tree/debian/changelog"
cp "$binary" "$tree/triptych"
cp -r deploy/triptych.yaml deploy/recipes deploy/nginx.conf deploy/haproxy.cfg CHANGELOG.md README.md openapi.yaml "$tree"
cp -r docs "$tree"
cp deploy/monitoring/*.yaml deploy/monitoring/dashboard.json "$tree/monitoring"
"$binary" --generate-completion-script bash | sed '1{/^#!/d}' >"$tree/completions/triptych"
"$binary" --generate-completion-script zsh >"$tree/completions/_triptych"
"$binary" --generate-completion-script fish >"$tree/completions/triptych.fish"
"$binary" --experimental-dump-help | deploy/manual.py "$tree/manual" "$version"
third_party "$tree/third-party"
(cd "$tree" && dpkg-buildpackage --build=binary --no-sign --no-check-builddeps >../build.log 2>&1) || { tail -n 40 "$scratch/deb/build.log" >&2; exit 1; }
mv "$scratch"/deb/triptych_*.deb "$scratch"
ls "$scratch"/triptych_*.deb
