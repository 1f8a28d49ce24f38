#!/bin/sh
# Installs rasterd from this archive, as root and without a network: ./install.sh
# On Debian and its derivatives with the package, elsewhere with the binary in /usr/local/bin and, under systemd, the unit.
set -eu
cd "$(dirname "$0")"

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || fail "this needs root: sudo ./install.sh"
[ "$(uname -m)" = "$(cat MACHINE)" ] || fail "this archive is for $(cat MACHINE), and this machine is $(uname -m)."
./verify.sh "$@"
if command -v rasterd >/dev/null; then
    fail "rasterd is installed already ($(command -v rasterd)). ./upgrade.sh replaces it, and goes back when that fails."
fi

if command -v dpkg >/dev/null; then
    dpkg --install ./rasterd_*.deb ||
        fail "the package was not installed. \`dpkg --remove rasterd\` removes what is there of it; the lines above say what is missing."
else
    install -m 0755 rasterd /usr/local/bin/rasterd
    if [ -d /run/systemd/system ]; then
        getent passwd rasterd >/dev/null || useradd --system --user-group --home-dir /var/lib/rasterd --no-create-home rasterd
        install -d -m 0755 /etc/rasterd
        install -d -m 0700 /etc/rasterd/tls
        install -d -o rasterd -g rasterd -m 0700 /var/backups/rasterd
        [ -e /etc/rasterd/config.toml ] || install -m 0644 config.toml /etc/rasterd/config.toml
        sed 's,/usr/bin/rasterd,/usr/local/bin/rasterd,' rasterd.service >/etc/systemd/system/rasterd.service
        systemctl daemon-reload
        systemctl enable --now rasterd
    fi
fi
rasterd --version
if [ -d /run/systemd/system ]; then
    echo "The server runs. As root: cat /var/lib/rasterd/owner-link.txt /var/lib/rasterd/first-key.txt"
else
    echo "There is no systemd here, so nothing was started: rasterd --data-dir DIR serve"
fi
