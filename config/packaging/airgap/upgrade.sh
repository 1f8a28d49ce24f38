#!/bin/sh
# Replaces an installed rasterd by the one in this archive, as root and without a network:
#
#   ./upgrade.sh [--key PUBLIC_KEY] [--data DIR] [--backup FILE] [--start COMMAND --stop COMMAND]
#
# It verifies the archive, backs up, swaps the binary, starts it and waits until it is ready. When it isn't within a minute,
# the former binary comes back, with the data as they were before.
# COMMAND starts and stops the server where systemd does not; `start` gets no arguments and must not wait for the server's end.
set -eu
cd "$(dirname "$0")"

data=/var/lib/rasterd
backup=
key=
start="systemctl start rasterd"
stop="systemctl stop rasterd"
wait_seconds=${UPGRADE_WAIT_SECONDS:-60}

fail() {
    echo "upgrade.sh: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || fail "$1 needs a value."
    case "$1" in
    --key) key=$2 ;;
    --data) data=$2 ;;
    --backup) backup=$2 ;;
    --start) start=$2 ;;
    --stop) stop=$2 ;;
    *) fail "there is no option $1. The first lines of this script list them." ;;
    esac
    shift 2
done

[ "$(id -u)" = 0 ] || fail "this needs root: sudo ./upgrade.sh"
installed=$(command -v rasterd) || fail "rasterd is not installed here. ./install.sh installs it."
[ -d "$data" ] || fail "there is no data directory $data; --data names it."
[ "$(uname -m)" = "$(cat MACHINE)" ] || fail "this archive is for $(cat MACHINE), and this machine is $(uname -m)."
owner=$(stat -c %U "$data")
./verify.sh ${key:+"$key"}

# Every command of rasterd runs as the user of the data.
as_owner() {
    if [ "$owner" = root ]; then "$@"; else setpriv --reuid "$owner" --regid "$(id -g "$owner")" --init-groups "$@"; fi
}

is_ready() {
    waited=0
    until as_owner "$installed" --data-dir "$data" health >/dev/null 2>&1; do
        waited=$((waited + 1))
        [ $waited -le "$wait_seconds" ] || return 1
        sleep 1
    done
}

stamp=$(date -u +%Y-%m-%dT%H%M%SZ)
if [ -z "$backup" ]; then
    install -d -o "$owner" -m 0700 /var/backups/rasterd
    backup=/var/backups/rasterd/before-upgrade-$stamp.tar.zst
fi
former=$data.rasterd-$stamp
echo "Backing up to $backup"
as_owner "$installed" --data-dir "$data" backup "$backup" || fail "the backup failed, so nothing was changed."

echo "Replacing $("$installed" -V) by $(./rasterd -V)"
cp -p "$installed" "$former"
$stop || fail "the server could not be stopped, so nothing was changed."
swapped=yes
if command -v dpkg >/dev/null && dpkg --search "$installed" >/dev/null 2>&1; then
    # The package starts the server itself.
    dpkg --install --force-confold ./rasterd_*.deb || swapped=
else
    install -m 0755 rasterd "$installed.new" && mv "$installed.new" "$installed" || swapped=
fi
if [ -n "$swapped" ] && $start && is_ready; then
    rm -f "$former"
    echo "Upgraded: $("$installed" -V) is ready. The backup stays in $backup."
    exit 0
fi

echo "upgrade.sh: the new version is not ready, so the former one comes back." >&2
$stop || true
cp -p "$former" "$installed.new" && mv "$installed.new" "$installed"
# The new version may have changed the form of the data, which the former one refuses.
mv "$data" "$data.after-upgrade-$stamp"
# As root, since a restore creates the folder again next to its final place.
"$installed" --data-dir "$data" restore "$backup" && chown -R "$owner:$(id -g "$owner")" "$data" ||
    fail "the backup could not be restored. The data are in $data.after-upgrade-$stamp, the backup in $backup, the former binary is $former."
if $start && is_ready; then
    rm -f "$former"
    fail "$("$installed" -V) runs again, with the data of before. What the new version left is in $data.after-upgrade-$stamp."
fi
fail "the former version is back, but not ready: its log says why. The backup is $backup."
