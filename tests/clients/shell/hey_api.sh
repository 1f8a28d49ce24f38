# @hey-api/openapi-ts: a client from each version's document, and a program that uploads with it, compiled and run.
set -euo pipefail
for version in 2026-05-20 2026-07-08; do
    curl --silent --fail --cacert "$RASTERD_CA" "$RASTERD_URL/openapi.json?version=$version" >openapi.json
    rm -rf generated
    cat >openapi-ts.config.mjs <<'END'
export default {
  input: 'openapi.json',
  output: { path: 'generated', module: { extension: '.js' } },
  plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
};
END
    node_modules/.bin/openapi-ts --no-log-file
    cat >program.ts <<END
import { readFileSync } from 'node:fs';
import { client } from './generated/client.gen.js';
import { uploadAssets } from './generated/sdk.gen.js';

client.setConfig({
  baseUrl: process.env.RASTERD_URL!,
  headers: { Authorization: \`Bearer \${process.env.RASTERD_API_KEY}\` },
});
const uploaded = await uploadAssets({
  path: { organizationId: process.env.RASTERD_ORGANIZATION!, libraryId: process.env.RASTERD_LIBRARY! },
  headers: { 'Api-Version': '$version' },
  body: { files: [new File([readFileSync(process.env.RASTERD_PICTURE!)], 'generated.jpg', { type: 'image/jpeg' })] },
});
if (uploaded.data?.data.assets[0]?.name !== 'generated') throw new Error(JSON.stringify(uploaded.error));
END
    node_modules/.bin/tsc --strict --skipLibCheck --target es2022 --module nodenext --types node \
        --outDir built program.ts
    node built/program.js
done

echo "version: $(node -p 'require("./node_modules/@hey-api/openapi-ts/package.json").version')"
echo "ran: of both versions a client, a checked program, an upload"
