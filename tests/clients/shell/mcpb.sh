# The bundle, as those who define the format check it: the manifest, and that its own tool unpacks the same files.
set -euo pipefail
export PATH="$PWD/node_modules/.bin:$PATH"

rm -rf unpacked
mcpb validate "$(dirname "$RASTERD_BUNDLE")/bundle/manifest.json" >validated
grep -q 'Manifest schema validation passes' validated || { cat validated; exit 1; }
mcpb unpack "$RASTERD_BUNDLE" unpacked >/dev/null
diff -r unpacked "$(dirname "$RASTERD_BUNDLE")/bundle"
if grep -r "$RASTERD_API_KEY" unpacked; then echo "the key is in the bundle"; exit 1; fi

echo "version: $(mcpb --version)"
echo "ran: validate, unpack"
