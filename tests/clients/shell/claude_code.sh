# Claude Code: the lines that each place shows, as they are, then its own check of the connection.
set -euo pipefail
source ./typed.sh
export PATH="$PWD/node_modules/@anthropic-ai/claude-code-linux-x64:$PATH"
TYPED_WITH='CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_AUTOUPDATER=1'

for place in 'first start' Connect 'new key'; do
    rm -rf .claude .claude.json
    has 'rasterd.*Connected' "$(typed "$place" 'Claude Code' 'claude mcp list 2>&1')"
done
# The commands of `rasterd snippet` read the key from its variable; the second starts the bridge.
export PATH="$PWD:$PATH"
ln -sf "$RASTERD_BINARY" rasterd
TYPED_WITH="$TYPED_WITH RASTERD_API_KEY=$RASTERD_API_KEY"
for place in snippet 'snippet --stdio'; do
    rm -rf .claude .claude.json
    has 'rasterd.*Connected' "$(typed "$place" 'claude-code command' 'claude mcp list 2>&1')"
done

echo "version: $(claude --version | cut -d' ' -f1)"
echo "ran: the lines of 5 places, one through the bridge, mcp list"
