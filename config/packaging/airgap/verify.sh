#!/bin/sh
# Checks that every file of this archive is as it was made: ./verify.sh [PUBLIC_KEY]
# With the builder's public key, which you should have got in another way than with this archive, it also checks who made
# it; that needs minisign. Needs no network.
set -eu
cd "$(dirname "$0")"

if [ -n "${1:-}" ]; then
    if [ ! -e SHA256SUMS.minisig ]; then
        echo "verify.sh: this archive is not signed: there is no SHA256SUMS.minisig." >&2
        exit 1
    fi
    if ! command -v minisign >/dev/null; then
        echo "verify.sh: the signature can't be checked without minisign (Debian: apt-get install minisign)." >&2
        exit 1
    fi
    if [ -e "$1" ]; then given=-p; else given=-P; fi
    minisign -V -q "$given" "$1" -m SHA256SUMS || {
        echo "verify.sh: the signature is not by this key. Don't install this archive." >&2
        exit 1
    }
fi
sha256sum --check --quiet --strict SHA256SUMS || {
    echo "verify.sh: the files above are not as they were made. Don't install this archive." >&2
    exit 1
}
unlisted=$(find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.minisig | sed 's,^\./,,' | sort | while read -r file; do
    cut -c67- SHA256SUMS | grep -qxF "$file" || echo "$file"
done)
if [ -n "$unlisted" ]; then
    echo "verify.sh: these files are not part of the archive:" >&2
    echo "$unlisted" >&2
    exit 1
fi
if [ -n "${1:-}" ]; then
    echo "All files are as they were made, and the signature is by this key."
else
    echo "All files are as they were made. Who made them was not checked: give the public key of the builder to do so."
fi
