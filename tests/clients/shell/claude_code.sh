# Claude Code: the lines that each place shows, as they are, then its own check of the connection.
set -euo pipefail
source ./typed.sh
export PATH="$PWD/node_modules/@anthropic-ai/claude-code-linux-x64:$PATH"
TYPED_WITH='CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_AUTOUPDATER=1'

for place in 'first start' Connect 'new key' README; do
    rm -rf .claude .claude.json
    has 'rasterd.*Connected' "$(typed "$place" 'Claude Code' 'claude mcp list 2>&1')"
done

echo "version: $(claude --version | cut -d' ' -f1)"
echo "ran: the lines of 4 places, mcp list"
