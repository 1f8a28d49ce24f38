# The Inspector's command line: the tools under its strict check of schemas, a call, and the resources.
set -euo pipefail
source ./typed.sh
inspect() {
    node_modules/.bin/mcp-inspector --cli "$RASTERD_URL/mcp" --transport http \
        --header "Authorization: Bearer $RASTERD_API_KEY" "$@"
}

has '"list_assets"' "$(inspect --method tools/list --strict 2>findings)"
# A warning is one, too.
if grep -E 'Error|Warning|warnings? across' findings; then exit 1; fi
has "$RASTERD_ORGANIZATION" "$(inspect --method tools/call --tool-name whoami)"
has structuredContent "$(inspect --method tools/call --tool-name list_assets \
    --tool-arg "organizationId=$RASTERD_ORGANIZATION" "libraryId=$RASTERD_LIBRARY" pageSize=5)"
has "libraries/$RASTERD_LIBRARY/assets" "$(inspect --method resources/list)"
has uriTemplate "$(inspect --method resources/templates/list)"

echo "version: $(node_modules/.bin/mcp-inspector --cli --version)"
echo "ran: tools/list --strict without a warning, 2 tools, resources, templates"
