#!/usr/bin/env bash
# Tests in a shell. The server ends with this shell, or earlier by: kill "$RASTERD_PID"
set -euo pipefail
cd "$(dirname "$0")"

eval "$(rasterd serve --ephemeral --export)"
library=$RASTERD_URL/organizations/$RASTERD_ORGANIZATION/libraries/$RASTERD_LIBRARY

# curl trusts the server by the variable CURL_CA_BUNDLE.
api() {
    curl --silent --show-error -H "Authorization: Bearer $RASTERD_API_KEY" -H 'Api-Version: 2026-07-08' "$@"
}

# expect WHAT TEXT ANSWER
expect() {
    if [[ $3 != *"$2"* ]]; then
        echo "not ok - $1: no $2 in $3" >&2
        exit 1
    fi
    echo "ok - $1"
}

# ordered METHOD PATH [BODY]: what the test orders the server to do
ordered() {
    curl --silent --show-error --fail-with-body -X "$1" -H "Authorization: Bearer $RASTERD_CONTROL_TOKEN" \
        -H 'Content-Type: application/json' "$RASTERD_CONTROL_URL$2" ${3:+-d "$3"}
}

expect "an upload is stored" '"name":"picture"' "$(api -F files=@picture.png "$library/assets")"
expect "an upload is listed" '"name":"picture"' "$(api "$library/assets")"

ordered POST /faults '{"effect":{"code":"STORAGE_FULL"},"match":{"operation":"upload_assets"},"times":1}' >/dev/null
expect "a full disk refuses uploads" STORAGE_FULL "$(api -F files=@picture.png "$library/assets")"

ordered POST /reset '{}' >/dev/null
expect "a reset removes what was uploaded" '{"data":[]}' "$(api "$library/assets")"
