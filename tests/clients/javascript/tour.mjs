// What every MCP client does here: calls each tool, reads resources, gets errors. A client that knows the schemas
// of answers checks each answer by itself.
import { expect, libraryId, organizationId, picture, pictureUrl } from './environment.mjs';

export const TOUR = 'tools/list, every tool, errors, resources, templates';
const ids = { organizationId, libraryId };

// The tour with a client of the official SDK, whichever version.
export function tourWithSdk(client) {
  return tour({
    listTools: async () => (await client.listTools()).tools,
    call: (name, args) => client.callTool({ name, arguments: args }),
    listResources: async () => (await client.listResources()).resources,
    listTemplates: async () => (await client.listResourceTemplates()).resourceTemplates,
    readResource: async (uri) => (await client.readResource({ uri })).contents,
  });
}

// `client` has listTools, call, listResources, listTemplates and readResource, each of which returns the result.
export async function tour(client) {
  const called = new Set();
  const call = async (name, args) => {
    called.add(name);
    const result = await client.call(name, args);
    expect(!result.isError, `an answer of ${name}, and not ${JSON.stringify(result.content)}`);
    return result.structuredContent ?? (result.content ? JSON.parse(result.content[0].text) : result);
  };
  const refused = async (code, name, args) => {
    called.add(name);
    const result = await client.call(name, args);
    expect(result.isError && result.content[0].text.includes(code), `${code} of ${name}`);
  };
  const names = (await client.listTools()).map((tool) => tool.name);
  const second = await librariesWork(call);
  const assets = await uploadsWork(call);
  await assetsWork(call, refused, assets, second);
  const left = names.filter((name) => !called.has(name));
  expect(left.length === 0, `every tool called, and not all but ${left}`);
  await resourcesWork(client);
}

// The list in an answer: under its name in structured content, bare in the text.
const listed = (answer, name) => (Array.isArray(answer) ? answer : answer[name]);

async function librariesWork(call) {
  const me = await call('whoami', {});
  expect(me.organizationId === organizationId, 'the organization');
  const made = await call('create_library', { organizationId, name: 'Of an agent' });
  const renamed = await call('rename_library', { organizationId, libraryId: made.id, name: 'Renamed' });
  expect(renamed.name === 'Renamed' && renamed.id === made.id, 'the new name');
  const got = await call('get_library', { organizationId, libraryId: made.id });
  expect(got.name === 'Renamed', 'the new name of the library itself');
  const address = await call('create_upload', { organizationId, libraryId: made.id, filename: 'later.jpg' });
  expect(address.uploadUrl.includes('/uploads/') && address.maxBytes > 0, 'an address to upload a file to');
  const libraries = listed(await call('list_libraries', { organizationId }), 'libraries');
  expect(libraries.some((library) => library.id === made.id), 'the new library in the list');
  return made.id;
}

// Three assets, the first with a variant.
async function uploadsWork(call) {
  const base64 = {
    kind: 'base64',
    filename: 'from an agent.jpg',
    mimeType: 'image/jpeg',
    data: picture.toString('base64'),
  };
  const url = { kind: 'url', url: pictureUrl };
  const [asset] = (await call('upload_asset', { ...ids, source: base64 })).assets;
  const [variant] = (await call('upload_asset', { ...ids, source: url, parentId: asset.id })).assets;
  const promoted = await call('promote_variant', { ...ids, assetId: asset.id, variantId: variant.id });
  expect(promoted.id === asset.id && promoted.variants.length === 1, 'the asset with its variant');
  const { assets } = await call('upload_assets', { ...ids, sources: [url, base64] });
  expect(assets.map(({ name }) => name).join() === 'wine,from an agent', 'both in order');
  return [asset, ...assets].map(({ id }) => id);
}

async function assetsWork(call, refused, [assetId, moved, trashed], targetLibraryId) {
  const assetIds = [assetId, moved, trashed];
  await call('update_asset_description', { ...ids, assetId, description: 'Wine, by an agent' });
  const tagged = await call('tag_assets', { ...ids, assetIds, tags: ['wine', assetId] });
  expect(tagged.taggedCount === 6, 'six tags');
  expect(listed(await call('list_tags', { ...ids, limit: 5 }), 'tags').length > 0, 'tags');
  const page = await call('list_assets', { ...ids, pageSize: 2, fields: ['name', 'url'] });
  expect(listed(page, 'assets').length === 2, 'two assets in a page');
  expect(Array.isArray(page) || (page.nextPage === 2 && page.total >= 3), 'what else there is');
  const filtered = listed(await call('list_assets', { ...ids, tags: [assetId] }), 'assets');
  expect(filtered.map(({ id }) => id).reverse().join() === assetIds.join(), 'the assets with the tag');
  const found = await call('search_assets', { organizationId, q: 'agent', pageSize: 100 });
  expect(found.hits.some((hit) => hit.id === assetId), 'the asset in a search');
  await call('search_assets', { organizationId, libraries: [libraryId], fields: ['name'], pageSize: 5 });
  await call('untag_assets', { ...ids, assetIds: [assetId], tags: ['wine'] });
  const asset = await call('get_asset', { ...ids, assetId, preview: true });
  expect(asset.tags.length === 1 && asset.description === 'Wine, by an agent', 'the tag that is left');

  const source = { organizationId, sourceLibraryId: libraryId, targetLibraryId };
  const transferred = await call('transfer_assets', { ...source, assetIds: [moved] });
  expect(transferred.transferredCount === 1, 'an asset in the other library');
  expect((await call('delete_assets', { ...ids, ids: [trashed] })).success === true, 'assets in the trash');
  await refused('RESOURCE_NOT_FOUND', 'get_asset', { ...ids, assetId: trashed });
  await refused('APPROVAL_REQUIRES_USER', 'set_asset_approval', { ...ids, assetId, state: 'approved' });
}

async function resourcesWork(client) {
  const templates = await client.listTemplates();
  expect(templates.length === 3, 'three templates');
  const resources = await client.listResources();
  const assets = resources.find((resource) => resource.uri.endsWith(`/libraries/${libraryId}/assets`));
  expect(assets, 'the assets of the library among the resources');
  const [content] = await client.readResource(assets.uri);
  expect(Array.isArray(JSON.parse(content.text)), 'a list in the resource');
}
