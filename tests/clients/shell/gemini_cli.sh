# Gemini CLI: the files that `rasterd snippet` prints, one through the bridge, started as shown, and its own check of the
# connection. It connects only in folders that a person trusts.
set -euo pipefail
source ./typed.sh
export PATH="$PWD/node_modules/.bin:$PWD:$PATH"
ln -sf "$RASTERD_BINARY" rasterd
TYPED_WITH="RASTERD_API_KEY=$RASTERD_API_KEY GEMINI_CLI_TRUST_WORKSPACE=true GEMINI_CLI_NO_RELAUNCH=true"

mkdir -p .gemini
for place in snippet 'snippet --stdio'; do
    cp "$RASTERD_SETUPS/$place/gemini-cli file" .gemini/settings.json
    start="$RASTERD_SETUPS/$place/Start of gemini-cli"
    command="$(if [ -e "$start" ]; then cat "$start"; else echo gemini; fi) mcp list 2>&1"
    has 'rasterd.*Connected' "$(env -i PATH="$PATH" HOME="$HOME" $TYPED_WITH bash -euc "$command")"
done

echo "version: $(gemini --version)"
echo "ran: the files of 2 set-ups, one through the bridge, mcp list"
