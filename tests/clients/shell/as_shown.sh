# What each place shows for a terminal, typed as it is: curl, and the variables for Python and Node.
set -euo pipefail
source ./typed.sh
export PATH="$HOME/bin:$PATH"

openssl='Python and other programs that use OpenSSL'
authorities="python -c 'import ssl; assert len(ssl.create_default_context().get_ca_certs()) > 20'"
# Each ends with an error where the server is not trusted.
by_urllib="python -c 'import urllib.request; urllib.request.urlopen(\"$RASTERD_URL/openapi.json\")'"
by_requests="python -c 'import requests; requests.get(\"$RASTERD_URL/openapi.json\")'"
by_httpx="python -c 'import httpx; httpx.get(\"$RASTERD_URL/openapi.json\")'"
by_node="node -e 'fetch(\"$RASTERD_URL/openapi.json\").then((answer) => process.exit(answer.ok ? 0 : 1))'"
by_python=$(printf '%s\n' "$authorities" "$by_urllib" "$by_requests" "$by_httpx")

for place in 'first start' Connect 'new key'; do
    has structuredContent "$(typed "$place" curl)"
    typed "$place" "$openssl" "$by_python"
done
typed Connect 'Trust on Node, Python, curl' "$by_python"$'\n'"$by_node"
has '"status":"ok"' "$(typed Connect 'Check from a terminal')"

answers=$(typed README curl)
for field in organizationId assets structuredContent responseText; do
    has "\"$field\"" "$answers"
done
echo "version: -"
echo "ran: 4 × curl, 4 × Python's variables, Node's, the check from a terminal"
