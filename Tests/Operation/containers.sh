#!/usr/bin/env bash
# The Dockerfile and the compose file: linted, the files that they name there, and, since no engine is needed to know it, both stages'
# steps run in a bare Debian and the second's command started as its user. As root; everything is on loopback.
#
# The first stage's image is not pulled: its packages are installed, and its toolchain is this machine's, mounted, as are the Swift
# packages that this machine has fetched. Of its build only what is written in C is compiled, the part that needs what the steps before
# it have installed; the Debian package is then made there around the executable of `make package`. WHOLE=1 builds all of it.
#
#   deploy/package.sh && Tests/Operation/containers.sh     # or `make operation ONLY=containers`
set -euo pipefail
cd "$(dirname "$0")/../.."
source Tests/Operation/checks.sh
source Tests/Operation/chroot.sh

tools=.build/operation/bin
debian=$PWD/.build-package/container
builder=$PWD/.build-package/builder
server=http://127.0.0.1:18381
server_id=
clean_up() {
    [ -z "$server_id" ] || kill "$server_id" 2>/dev/null || true
    leave_debian "$builder"
    leave_debian "$debian"
    rm -rf "$builder" "$debian" "$debian".*
}
trap clean_up EXIT

# A stage's values of an instruction, lines that go on joined, what BuildKit would mount left out.
stage() { # NUMBER INSTRUCTION
    sed -e ':more' -e '/\\$/{N;s/\\\n *//;b more' -e '}' deploy/Dockerfile |
        awk -v number="$1" '/^FROM / {stage += 1} stage == number' | sed -nE "s/^$2 (--mount=[^ ]+ +)*//p"
}
mounted() { "$tools/python" -c '
import yaml
for file in ("compose.yaml", "compose.servers.yaml"):
    for service in yaml.safe_load(open(f"deploy/{file}"))["services"].values():
        for volume in service.get("volumes", []):
            if volume.startswith(".") and not volume.startswith("./secrets/"): print("deploy/" + volume.split(":")[0])' | sort -u; }

echo "== lint"
check "hadolint" "$tools/hadolint" deploy/Dockerfile
check "compose's schema" "$tools/check-jsonschema" --quiet --builtin-schema vendor.compose-spec deploy/compose*.yaml
check "the database's script" sh -n deploy/database.sh
for file in $(mounted); do check "$file is there" test -s "$file"; done
check "what the first stage copies out is what the package is called" grep -q '^mv .*scratch"/deb/triptych_\*.deb "$scratch"' deploy/package.sh

echo "== the first stage"
# Where this machine has what is fetched for a build, and Git's settings that say so.
mount_sources() {
    local folder
    [ ! -e /etc/gitconfig ] || cp /etc/gitconfig "$builder/etc"
    for folder in ~/.cache/org.swift.swiftpm $(git config --get-regexp '^url\./.*\.insteadof' | sed -nE 's,^url\.(/.*)/\.insteadof .*,\1,p' | sort -u); do
        mkdir -p "$folder" "$builder$folder"
        mount --bind "$folder" "$builder$folder"
    done
}

in_builder() { in_debian "$builder" sh -c "cd /source && $1"; } # COMMANDS

# What the file that BuildKit reads leaves of this folder.
copy_context() {
    local excluded=(--exclude './.build*') pattern
    while IFS= read -r pattern; do
        case $pattern in !*) ;; *) excluded+=(--exclude "./$pattern") ;; esac
    done <deploy/Dockerfile.dockerignore
    tar --create "${excluded[@]}" . | tar --extract --directory "$builder/source"
}

bare_debian "$builder"
quietly in_debian "$builder" apt-get update -qq
# As swift-docker's file for Debian 12 has them.
quietly in_debian "$builder" apt-get install -y -qq binutils gcc git libcurl4-openssl-dev libedit-dev libicu-dev libncurses-dev \
    libpython3-dev libsqlite3-dev libstdc++-12-dev libxml2-dev pkg-config tzdata uuid-dev
swift=$(readlink -f "$(command -v swift)")
toolchain=${swift%/usr/bin/*}
mkdir -p "$builder$toolchain" "$builder/source/deploy"
mount --bind "$toolchain" "$builder$toolchain"
mount_sources
ln -s "$toolchain/usr/bin/swift" "$builder/usr/bin/swift"
cp deploy/dependencies.sh "$builder/source/deploy"
check "the first COPY is of what the first RUN calls" is "$(stage 1 COPY | head -n 1)" "deploy/dependencies.sh deploy/"
check "it installs what the build needs" quietly in_builder "$(stage 1 RUN | head -n 1)"
check "the second COPY is of everything" is "$(stage 1 COPY | tail -n 1)" ". ."
copy_context
if [ -n "${WHOLE:-}" ]; then
    check "it builds the package" quietly in_builder "$(stage 1 RUN | tail -n 1)"
else
    check "the package is described" quietly in_builder "TRIPTYCH_TESTS=triptych swift package describe"
    for target in CCurl CImageCodecs CKernels COneDNN CSimilarity; do
        check "$target is compiled" quietly in_builder "TRIPTYCH_TESTS=triptych swift build -c release --static-swift-stdlib \
            --scratch-path .build-package --target $target"
    done
    check "and so are headers alone" quietly in_builder 'cat Sources/CPQ/*.h Sources/COpenBLAS/*.h Sources/CZlib/*.h |
        gcc -fsyntax-only -x c $(pkg-config --cflags libpq openblas zlib) -'
    cp .build-package/release/triptych "$builder/triptych"
    check "the package is made" quietly in_builder "$(stage 1 RUN | tail -n 1 | sed 's,deploy/package.sh,& /triptych,')"
fi
check "the second stage finds it" test -s "$builder/triptych.deb"
leave_debian "$builder"

echo "== the second stage"
bare_debian "$debian"
cp "$builder/triptych.deb" "$debian/triptych.deb"
while IFS= read -r command; do
    check "RUN ${command:0:60} …" quietly in_debian "$debian" sh -c "$command"
done < <(stage 2 RUN)
user=$(stage 2 USER)
check "its user is nobody" test "${user%%:*}" -gt 1000
quietly .build/release/triptych synthesize --output "$debian.data" --identities 6 --cameras 2 --sightings 2 --height 64 --width 128 --seed 1
quietly .build/release/triptych train --config clients/python/tests/tiny.yaml --data "$debian.data" --output "$debian.run" --seed 1
install -m 600 --owner "${user%%:*}" --group "${user##*:}" "$debian.run/model.safetensors" "$debian/var/lib/triptych/model.safetensors"
arguments=$("$tools/python" -c 'import json, sys; print(*(word for line in sys.stdin for word in json.loads(line)))' < <(stage 2 ENTRYPOINT; stage 2 CMD))

as_user() { chroot --userspec="$user" "$debian" env -i PATH=/usr/bin:/bin HOME=/ "$@"; }
as_user triptych keys create --database /var/lib/triptych/gallery.sqlite --name admin --role admin >"$debian.key"
check "the first key is made in the volume" grep -q '^triptych_' "$debian.key"
# As compose has it: beyond loopback, with a key. The test's own address is loopback all the same.
chroot --userspec="$user" "$debian" env -i PATH=/usr/bin:/bin HOME=/ TRIPTYCH_PORT=18381 sh -c "cd /var/lib/triptych && exec $arguments" >"$debian.server" 2>&1 &
server_id=$!
for _ in $(seq 300); do curl --silent --fail --output /dev/null "$server/readyz" && break; kill -0 $server_id || break; sleep 0.1; done
check "the health check" in_debian "$debian" curl --fail --silent --output /dev/null "$server/readyz"
check "no answer without the key" test "$(curl --silent --output /dev/null --write-out '%{http_code}' "$server/v1/galleries")" = 401
check "an answer with it" curl --silent --fail --output /dev/null --header "Authorization: Bearer $(cat "$debian.key")" "$server/v1/galleries"
tell
