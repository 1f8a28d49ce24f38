# opencode, which runs on Bun: a remote server in its settings, the variables that the Connect page shows, then its own
# check of the connection.
set -euo pipefail
source ./typed.sh
export PATH="$PWD/node_modules/opencode-linux-x64/bin:$PATH"
TYPED_WITH='OPENCODE_DISABLE_AUTOUPDATE=1 OPENCODE_DISABLE_MODELS_FETCH=1'

cat >opencode.json <<END
{
  "mcp": {
    "rasterd": {
      "type": "remote",
      "url": "$RASTERD_URL/mcp",
      "headers": { "Authorization": "Bearer {env:RASTERD_API_KEY}" },
      "oauth": false
    }
  }
}
END
has '✓ rasterd.*connected' "$(typed Connect 'Trust on Node, Python, curl' 'opencode mcp list 2>&1')"

echo "version: $(opencode --version)"
echo "ran: mcp list"
