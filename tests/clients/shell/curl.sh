# curl: each interface once, with the authority named on the command line.
set -euo pipefail
source ./typed.sh
ask() { curl --silent --show-error --fail-with-body --cacert "$RASTERD_CA" "$@"; }
key="Authorization: Bearer $RASTERD_API_KEY"
library=$RASTERD_URL/organizations/$RASTERD_ORGANIZATION/libraries/$RASTERD_LIBRARY

has "\"organizationId\":\"$RASTERD_ORGANIZATION\"" "$(ask -H "$key" -H 'Api-Version: 2026-07-08' "$RASTERD_URL/me")"
uploaded=$(ask -H "$key" -H 'Api-Version: 2026-07-08' -F "files=@$RASTERD_PICTURE" "$library/assets")
url=$(grep -o '"url":"[^"]*' <<<"$uploaded" | head -n1 | cut -d'"' -f4)
ask "$url" | cmp - "$RASTERD_PICTURE"
upload_url=$(ask -H "$key" -H 'Api-Version: 2026-07-08' -H 'Content-Type: application/json' \
    -d '{"filename":"by address.jpg"}' "$library/uploads" | grep -o '"uploadUrl":"[^"]*' | cut -d'"' -f4)
has '"name":"by address"' "$(ask -T "$RASTERD_PICTURE" "$upload_url")"
has 'has been used' "$(ask -T "$RASTERD_PICTURE" "$upload_url" 2>&1 || true)"
ask -r 100-199 "$url" | cmp - <(tail -c +101 "$RASTERD_PICTURE" | head -c 100)
ask -o rendition "$url?w=400&fm=jpeg"
head -c 3 rendition | cmp - <(printf '\xff\xd8\xff')
has '"viewer"' "$(ask -H "$key" -H 'Content-Type: application/json' "$RASTERD_URL/graphql" \
    -d '{"query":"{ viewer { organizationId } }"}')"
call='{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{}}}'
has structuredContent "$(ask -H "$key" -H 'Content-Type: application/json' \
    -H 'Accept: application/json, text/event-stream' "$RASTERD_URL/mcp" -d "$call")"

echo "version: $(curl --version | head -n1 | cut -d' ' -f2)"
echo "ran: REST, upload, one-time address, asset url, range, rendition, GraphQL, MCP"
