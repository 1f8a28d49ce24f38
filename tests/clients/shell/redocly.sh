# redocly: lints both versions of the API description.
set -euo pipefail
for version in 2026-05-20 2026-07-08; do
    curl --silent --fail --cacert "$RASTERD_CA" "$RASTERD_URL/openapi.json?version=$version" >"$version.json"
    REDOCLY_TELEMETRY=off node_modules/.bin/redocly lint --extends=recommended "$version.json"
done

echo "version: $(node -p 'require("./node_modules/@redocly/cli/package.json").version')"
echo "ran: lint of both versions"
