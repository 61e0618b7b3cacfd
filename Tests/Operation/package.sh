#!/usr/bin/env bash
# The Debian package in a bare Debian: what it installs and what its units leave open; then that Debian is booted, with systemd, for what
# installed.sh does in it. As root; the booted one has a loopback of its own and no other network.
#
#   deploy/package.sh && Tests/Operation/package.sh        # or `make operation ONLY=package`
set -euo pipefail
cd "$(dirname "$0")/../.."
source Tests/Operation/checks.sh
source Tests/Operation/chroot.sh

triptych=.build/release/triptych
package=$(ls .build-package/triptych_*.deb)
debian=$PWD/.build-package/installed
clean_up() {
    leave_debian "$debian"
    rm -rf "$debian" "$debian".*
}
trap clean_up EXIT

apt_install() { quietly in_debian "$debian" apt-get install -y -qq --no-install-recommends "$@"; }

# The same package under a higher version.
newer() { # FILE
    dpkg-deb --raw-extract "$package" "$debian.newer"
    sed -i 's/^Version: .*/&+next/' "$debian.newer/DEBIAN/control"
    quietly dpkg-deb --root-owner-group --build -Zgzip -z1 "$debian.newer" "$1"
}

# Starts installed.sh once the system is up, and ends it afterwards.
boot() {
    cat >"$debian/etc/systemd/system/test.service" <<UNIT
[Service]
Type=oneshot
ExecStart=/bin/bash -c "bash /root/installed.sh >/root/outcome 2>&1; systemctl poweroff"
UNIT
    mkdir -p "$debian/etc/systemd/system/default.target.wants"
    ln -s ../test.service "$debian/etc/systemd/system/default.target.wants/test.service"
    systemd-nspawn --directory="$debian" --register=no --keep-unit --private-network --boot >"$debian.boot" 2>&1 </dev/null
}

echo "== lintian"
check "lintian has nothing to say" lintian --allow-root --fail-on error,warning "$package"

echo "== install"
bare_debian "$debian"
quietly in_debian "$debian" apt-get update -qq
cp "$package" "$debian/root/triptych.deb"
check "it installs, with what it depends on" apt_install /root/triptych.deb
check "the executable starts" is "$(in_debian "$debian" triptych --version)" "$("$triptych" --version)"
check "it needs no library that is not there, nor Swift's" is "$(in_debian "$debian" ldd /usr/bin/triptych | grep -ciE 'not found|swift')" 0
check "the user is there" is "$(in_debian "$debian" getent passwd triptych | cut -d: -f6,7)" /var/lib/triptych:/usr/sbin/nologin
check "its folder is its own" is "$(in_debian "$debian" stat --format '%U:%G %a' /var/lib/triptych)" "triptych:triptych 700"
check "the configuration is a conffile" grep -q /etc/triptych/triptych.yaml "$debian/var/lib/dpkg/info/triptych.conffiles"
check "nothing starts by itself" is "$(find "$debian/etc/systemd" -name '*triptych*')" ""
check "every command has a manual page" is "$(dpkg-deb --contents "$package" | grep -c 'man1/triptych')" \
    "$("$triptych" --experimental-dump-help | jq '[.command.subcommands[] | select(.commandName != "help")] | length + 1')"
check "completions work in bash" quietly in_debian "$debian" bash -c '. /usr/share/bash-completion/completions/triptych; complete -p triptych'
check "recipes are there" test -s "$debian/usr/share/triptych/recipes/graft-demo.yaml"

echo "== units"
for unit in triptych.service triptych-backup.service triptych-backup.timer; do
    check "systemd-analyze verify $unit" is "$(systemd-analyze verify --root="$debian" --man=no "/lib/systemd/system/$unit" 2>&1 | grep triptych)" ""
done
for unit in triptych triptych-backup; do
    check "systemd-analyze security $unit" quietly systemd-analyze security --root="$debian" --offline=true --threshold=20 "$unit.service"
done

echo "== booted"
apt_install systemd-sysv dbus curl
quietly "$triptych" synthesize --output "$debian/root/data" --identities 6 --cameras 2 --sightings 2 --height 64 --width 128 --seed 1
quietly "$triptych" train --config clients/python/tests/tiny.yaml --data "$debian/root/data" --output "$debian.run" --seed 1
cp "$debian.run/model.safetensors" Tests/Operation/installed.sh Tests/Operation/checks.sh "$debian/root"
newer "$debian/root/newer.deb"
leave_debian "$debian"
check "it boots and ends" boot
sed '$d' "$debian/root/outcome"
read -r inside _ wrong _ < <(tail -n 1 "$debian/root/outcome")
passed=$((passed + inside)) failed=$((failed + wrong))
tell
