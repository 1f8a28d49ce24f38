# openapi-typescript: types from each version's document, and a program that uses them, compiled and run.
set -euo pipefail
for version in 2026-05-20 2026-07-08; do
    curl --silent --fail --cacert "$RASTERD_CA" "$RASTERD_URL/openapi.json?version=$version" >openapi.json
    node_modules/.bin/openapi-typescript openapi.json -o schema.d.ts
    cat >program.ts <<END
import { readFileSync } from 'node:fs';
import createClient from 'openapi-fetch';
import type { paths } from './schema.d.ts';

const client = createClient<paths>({
  baseUrl: process.env.RASTERD_URL,
  headers: { Authorization: \`Bearer \${process.env.RASTERD_API_KEY}\` },
});
const header = { 'Api-Version': '$version' as const };
const me = await client.GET('/me', { params: { header } });
if (!me.data) throw new Error(JSON.stringify(me.error));
const path = { organizationId: process.env.RASTERD_ORGANIZATION!, libraryId: process.env.RASTERD_LIBRARY! };
const address = '/organizations/{organizationId}/libraries/{libraryId}/assets';
const form = new FormData();
form.append('files', new Blob([readFileSync(process.env.RASTERD_PICTURE!)]), 'typed.jpg');
// To these types a file is a string; how it is sent is up to the program.
const body = { files: [] };
const uploaded = await client.POST(address, { params: { path, header }, body, bodySerializer: () => form });
if (uploaded.data?.data.assets[0]?.name !== 'typed') throw new Error(JSON.stringify(uploaded.error));
const listed = await client.GET(address, { params: { path, header, query: { pageSize: 5 } } });
if (!listed.data || listed.data.data.length === 0) throw new Error(JSON.stringify(listed.error));
END
    node_modules/.bin/tsc --noEmit --strict --skipLibCheck --target es2022 --module nodenext --types node \
        --allowImportingTsExtensions program.ts
    node --experimental-strip-types --no-warnings program.ts
done

echo "version: $(node -p 'require("./node_modules/openapi-typescript/package.json").version')"
echo "ran: of both versions types, a checked program, an upload"
