# In the booted Debian of package.sh: a start under systemd with all that the unit closes, a reload, a backup, an upgrade of what runs,
# removing and purging.
cd /root
source checks.sh

server=http://127.0.0.1:8080
state=/var/lib/triptych
ready() { for _ in $(seq 300); do curl -sf -o /dev/null "$server/readyz" && return; sleep 0.1; done; journalctl -u triptych --no-pager | tail -n 20; return 1; }
sightings() { curl -s --header "Authorization: Bearer $(cat admin.key)" "$server/v1/galleries/yard" | grep -o '"sightings":[0-9]*' | head -n 1; }
property() { systemctl show triptych --property "$1" --value; }
as_triptych() { setpriv --reuid triptych --regid triptych --clear-groups "$@"; }
owner_and_mode() { stat --format '%U:%G %a' "$1"; }
told() { journalctl -u "$1" --no-pager | grep -q "$2"; } # UNIT WORDS

quietly systemctl start triptych
sleep 2
check "without a model it ends with the reason" told triptych "$state/model.safetensors"
systemctl stop triptych
systemctl reset-failed triptych 2>/dev/null

install -m 600 -o triptych -g triptych model.safetensors "$state/model.safetensors"
(umask 077 && as_triptych triptych keys create --database "$state/gallery.sqlite" --name admin --role admin >admin.key 2>/dev/null)
check "it starts as the documents say" quietly systemctl enable --now triptych
check "it is ready" ready
export TRIPTYCH_KEY_FILE=/root/admin.key
check "it enrols" quietly triptych enroll --gallery yard --data data --split gallery
before=$(sightings)
check "its database is its own" is "$(owner_and_mode $state/gallery.sqlite)" "triptych:triptych 600"
check "it may write nothing else" is "$(nsenter --target "$(property MainPID)" --mount sh -c 'touch /etc/triptych/x /usr/x /home/x 2>/dev/null; ls /etc/triptych/x /usr/x /home/x 2>/dev/null')" ""
sed -i 's/^  min_side: 0$/  min_side: 8/' /etc/triptych/triptych.yaml
check "it reloads" quietly systemctl reload triptych
sleep 1
check "and says what has changed" told triptych 'changed=quality'
check "the nightly backup works beside it" quietly systemctl start triptych-backup
check "the backup is its own" is "$(owner_and_mode $state/backup/backup.json)" "triptych:triptych 600"
check "its timer can be switched on" quietly systemctl enable --now triptych-backup.timer

first=$(property MainPID)
check "a newer package installs while it runs" quietly dpkg --install --force-confold newer.deb
check "what ran was started again" test "$(property MainPID)" != "$first"
check "and is ready" ready
check "with what was enrolled" is "$(sightings)" "$before"
check "what the operator changed has stayed" grep -q 'min_side: 8' /etc/triptych/triptych.yaml
check "it is on at the next boot" is "$(systemctl is-enabled triptych)" enabled

check "it is removed" quietly dpkg --remove triptych
check "what ran has ended" is "$(systemctl is-active triptych)" inactive
check "as it should" told triptych 'Deactivated successfully'
check "the configuration stays" test -e /etc/triptych/triptych.yaml
dpkg --purge triptych >purge.log 2>&1
check "purged, it is gone" is "$(find /etc /usr /lib -xdev -name '*triptych*' ! -path '*/share/doc/*' 2>/dev/null | head -n 3)" ""
check "the gallery stays" test -s "$state/gallery.sqlite"
check "which it says" grep -q "$state is kept" purge.log
tell
