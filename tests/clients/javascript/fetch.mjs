// The `fetch` of Node, Bun and Deno: the same program in each.
import process from 'node:process';
import { authorization, done, expect, libraryId, organizationId, picture, url } from './environment.mjs';

const NAME = 'a "quoted" ü – 図';
const library = `${url}/organizations/${organizationId}/libraries/${libraryId}`;

async function rest(address, init = {}) {
  const headers = { ...authorization, 'Api-Version': '2026-07-08', ...init.headers };
  const response = await fetch(address, { ...init, headers });
  return { status: response.status, body: await response.json() };
}

const me = await rest(`${url}/me`);
expect(me.status === 200 && me.body.data.organizationId === organizationId, 'the organization in /me');

const form = new FormData();
form.append('files', new Blob([picture], { type: 'image/jpeg' }), `${NAME}.jpg`);
const uploaded = await rest(`${library}/assets`, { method: 'POST', body: form });
expect(uploaded.status === 200, `an upload, and not ${JSON.stringify(uploaded.body)}`);
const [asset] = uploaded.body.data.assets;
expect(asset.name === NAME, `the name ${NAME}, and not ${asset.name}`);

const original = await fetch(asset.url);
const bytes = new Uint8Array(await original.arrayBuffer());
expect(bytes.length === picture.length && bytes.every((byte, at) => byte === picture[at]), 'the same bytes back');
const small = await fetch(`${asset.url}?w=400&fm=webp`);
expect(small.status === 200 && small.headers.get('content-type') === 'image/webp', 'a rendition');
await small.arrayBuffer();

const query = 'query ($o: ID!, $l: ID!) { assets(organizationId: $o, libraryId: $l) { id name url } }';
const graphql = await fetch(`${url}/graphql`, {
  method: 'POST',
  headers: { ...authorization, 'Content-Type': 'application/json' },
  body: JSON.stringify({ query, variables: { o: organizationId, l: libraryId } }),
});
expect((await graphql.json()).data.assets.some((found) => found.id === asset.id), 'the asset in GraphQL');

const refused = await rest(`${url}/me`, { headers: { Authorization: 'Bearer pk_wrong' } });
expect(refused.status === 401, 'a wrong key refused');

const runtime = globalThis.Deno ? Deno.version.deno : (process.versions.bun ?? process.versions.node);
done(runtime, 'REST, upload, asset url, rendition, GraphQL, 401');
