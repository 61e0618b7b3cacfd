#!/usr/bin/env bash
# The Dockerfile and the compose file: linted, the files that they name there, and, since no engine is needed to know it, the second
# stage's steps run in a bare Debian and its command started as its user. As root; everything is on loopback.
#
#   deploy/package.sh && Tests/Operation/containers.sh     # or `make operation ONLY=containers`
set -euo pipefail
cd "$(dirname "$0")/../.."
source Tests/Operation/checks.sh
source Tests/Operation/chroot.sh

tools=.build/operation/bin
debian=$PWD/.build-package/container
server=http://127.0.0.1:18381
server_id=
clean_up() {
    [ -z "$server_id" ] || kill "$server_id" 2>/dev/null || true
    leave_debian "$debian"
    rm -rf "$debian" "$debian".*
}
trap clean_up EXIT

# The last stage's values of an instruction, lines that go on joined, what BuildKit would mount left out.
stage() { # INSTRUCTION
    sed -e ':more' -e '/\\$/{N;s/\\\n *//;b more' -e '}' deploy/Dockerfile | tac | sed '/^FROM /q' | tac |
        sed -nE "s/^$1 (--mount=[^ ]+ +)*//p"
}
mounted() { "$tools/python" -c '
import yaml
for service in yaml.safe_load(open("deploy/compose.yaml"))["services"].values():
    for volume in service.get("volumes", []):
        if volume.startswith("."): print("deploy/" + volume.split(":")[0])'; }

echo "== lint"
check "hadolint" "$tools/hadolint" deploy/Dockerfile
check "compose's schema" "$tools/check-jsonschema" --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml deploy/compose.postgresql.yaml
for file in $(mounted); do check "$file is there" test -s "$file"; done
check "what the first stage copies out is what the package is called" grep -q '^mv .*scratch"/deb/triptych_\*.deb "$scratch"' deploy/package.sh

echo "== the second stage"
bare_debian "$debian"
cp .build-package/triptych_*.deb "$debian/triptych.deb"
while IFS= read -r command; do
    check "RUN ${command:0:60} …" quietly in_debian "$debian" sh -c "$command"
done < <(stage RUN)
user=$(stage USER)
check "its user is nobody" test "${user%%:*}" -gt 1000
quietly .build/release/triptych synthesize --output "$debian.data" --identities 6 --cameras 2 --sightings 2 --height 64 --width 128 --seed 1
quietly .build/release/triptych train --config clients/python/tests/tiny.yaml --data "$debian.data" --output "$debian.run" --seed 1
install -m 600 --owner "${user%%:*}" --group "${user##*:}" "$debian.run/model.safetensors" "$debian/var/lib/triptych/model.safetensors"
arguments=$("$tools/python" -c 'import json, sys; print(*(word for line in sys.stdin for word in json.loads(line)))' < <(stage ENTRYPOINT; stage CMD))

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
