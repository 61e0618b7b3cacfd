#!/usr/bin/env bash
# The Debian package in a bare Debian: what it installs, what its unit leaves open, a start by the unit's own command as the unit's own
# user, a backup, an upgrade in place that keeps what was changed, removing and purging. As root; everything is on loopback.
#
#   deploy/package.sh && Tests/Operation/package.sh        # or `make operation ONLY=package`
set -euo pipefail
cd "$(dirname "$0")/../.."
source Tests/Operation/chroot.sh

triptych=.build/release/triptych
package=$(ls .build-package/triptych_*.deb)
debian=.build-package/chroot
server=http://127.0.0.1:18380
state=$debian/var/lib/triptych
server_id=

clean_up() {
    stop
    leave_debian "$debian"
    rm -rf .build-package/newer
}
trap clean_up EXIT

install_package() { # FILE
    cp "$1" "$debian/tmp/triptych.deb"
    quietly in_debian "$debian" apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold /tmp/triptych.deb
}

of_unit() { sed -n "s/^$2=//p" "$debian/lib/systemd/system/$1.service"; } # UNIT KEY

# As systemd starts it; the port is this test's.
start() {
    chroot "$debian" setpriv --reuid triptych --regid triptych --clear-groups --no-new-privs --bounding-set=-all \
        sh -c "umask 077; cd /var/lib/triptych; exec $(of_unit triptych ExecStart) --port 18380" >"$debian.server.log" 2>&1 &
    server_id=$!
    for _ in $(seq 300); do
        curl --silent --fail --output /dev/null "$server/readyz" && return
        kill -0 "$server_id" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 20 "$debian.server.log"
    return 1
}

stop() {
    [ -z "$server_id" ] || { kill "$server_id" 2>/dev/null && wait "$server_id" || true; }
    server_id=
}

sightings() { curl --silent "$server/v1/galleries/yard" | jq .sightings; }
installed() { in_debian "$debian" dpkg-query --show --showformat='${Version}' triptych; }
owner_and_mode() { in_debian "$debian" stat --format '%U:%G %a' "$1"; }
quietly() { "$@" >"$debian.log" 2>&1 || { tail -n 20 "$debian.log"; return 1; }; }
is() { [ "$1" = "$2" ] || { echo "  expected $2, found $1"; return 1; }; }

echo "== lintian"
check "lintian has nothing to say" lintian --allow-root --fail-on error,warning "$package"

echo "== install"
bare_debian "$debian"
quietly in_debian "$debian" apt-get update -qq
check "it installs, with what it depends on" install_package "$package"
check "the executable starts" is "$(in_debian "$debian" triptych --version)" "$("$triptych" --version)"
check "it needs no library that is not there" is "$(in_debian "$debian" ldd /usr/bin/triptych | grep -c 'not found')" 0
check "nor Swift's" is "$(in_debian "$debian" ldd /usr/bin/triptych | grep -ci swift)" 0
check "the user is there" is "$(in_debian "$debian" getent passwd triptych | cut -d: -f6,7)" /var/lib/triptych:/usr/sbin/nologin
check "its folder is its own" is "$(owner_and_mode /var/lib/triptych)" "triptych:triptych 700"
check "the configuration is a conffile" grep -q /etc/triptych/triptych.yaml "$debian/var/lib/dpkg/info/triptych.conffiles"
check "nothing is started by itself" test ! -e "$debian/etc/systemd/system/multi-user.target.wants/triptych.service"
check "every command has a manual page" is \
    "$("$triptych" --experimental-dump-help | jq '[.command.subcommands[] | select(.commandName != "help")] | length + 1')" \
    "$(dpkg-deb --contents "$package" | grep -c 'man1/triptych')"
check "completions work in bash" in_debian "$debian" bash -c '. /usr/share/bash-completion/completions/triptych; complete -p triptych >/dev/null'
check "recipes are there" test -s "$debian/usr/share/triptych/recipes/graft-demo.yaml"

echo "== units"
for unit in triptych.service triptych-backup.service triptych-backup.timer; do
    check "systemd-analyze verify $unit" is "$(systemd-analyze verify --root="$debian" --man=no "/lib/systemd/system/$unit" 2>&1 | grep triptych)" ""
done
for unit in triptych triptych-backup; do
    check "systemd-analyze security $unit" quietly systemd-analyze security --root="$debian" --offline=true --threshold=20 "$unit.service"
done

echo "== start"
"$triptych" synthesize --output "$debian.data" --identities 6 --cameras 2 --sightings 2 --height 64 --width 128 --seed 1 >/dev/null 2>&1
"$triptych" train --config clients/python/tests/tiny.yaml --data "$debian.data" --output "$debian.run" --seed 1 >/dev/null 2>&1
check "without a model it ends with the reason" is "$(in_debian "$debian" triptych serve --config /etc/triptych/triptych.yaml 2>&1 | grep -c 'model.safetensors')" 1
install -m 600 -o "$(in_debian "$debian" id -u triptych)" -g "$(in_debian "$debian" id -g triptych)" "$debian.run/model.safetensors" "$state/model.safetensors"
check "it starts as the unit says" start
quietly "$triptych" enroll --server "$server" --gallery yard --data "$debian.data" --split gallery
before=$(sightings)
check "it enrols" test "$before" -gt 0
check "its database is its own" is "$(owner_and_mode /var/lib/triptych/gallery.sqlite)" "triptych:triptych 600"
check "the nightly backup's command works beside it" quietly in_debian "$debian" \
    setpriv --reuid triptych --regid triptych --clear-groups $(of_unit triptych-backup ExecStart)
check "the backup is its own" is "$(owner_and_mode /var/lib/triptych/backup/backup.json)" "triptych:triptych 600"

echo "== upgrade"
echo '# changed by the operator' >>"$debian/etc/triptych/triptych.yaml"
next="$(installed)+next"
mkdir -p .build-package/newer
dpkg-deb --raw-extract "$package" .build-package/newer/tree
sed -i "s/^Version: .*/Version: $next/" .build-package/newer/tree/DEBIAN/control
dpkg-deb --root-owner-group --build -Zgzip -z1 .build-package/newer/tree .build-package/newer/triptych.deb >/dev/null
check "a newer one installs while it runs" install_package .build-package/newer/triptych.deb
check "and is there" is "$(installed)" "$next"
check "the running one answers on" is "$(sightings)" "$before"
stop
check "the new one starts" start
check "with what was enrolled" is "$(sightings)" "$before"
check "what the operator changed has stayed" grep -q 'changed by the operator' "$debian/etc/triptych/triptych.yaml"

echo "== remove and purge"
stop
in_debian "$debian" apt-get remove -y -qq triptych >"$debian.log" 2>&1
check "removed, the executable is gone" test ! -e "$debian/usr/bin/triptych"
check "and the configuration stays" test -e "$debian/etc/triptych/triptych.yaml"
in_debian "$debian" apt-get purge -y -qq triptych >"$debian.log" 2>&1
check "purged, the configuration is gone" test ! -e "$debian/etc/triptych"
check "the gallery stays" test -s "$state/gallery.sqlite"
check "which it says" grep -q '/var/lib/triptych is kept' "$debian.log"
check "nothing else stays" is "$(find "$debian/usr" "$debian/lib" "$debian/etc" -name '*triptych*' ! -path '*/systemd/*' | head -n 3)" ""
rm -rf "$debian.data" "$debian.run" "$debian.log" "$debian.server.log"
tell
