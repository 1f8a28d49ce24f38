# spectral: lints both versions of the API description.
set -euo pipefail
echo 'extends: ["spectral:oas"]' >.spectral.yml
for version in 2026-05-20 2026-07-08; do
    curl --silent --fail --cacert "$RASTERD_CA" "$RASTERD_URL/openapi.json?version=$version" >"$version.json"
    node_modules/.bin/spectral lint --fail-severity=error --ruleset .spectral.yml "$version.json"
done

echo "version: $(node_modules/.bin/spectral --version)"
echo "ran: lint of both versions"
