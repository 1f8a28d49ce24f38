// The toolkit of React components that the hosted product's CMS plugins are made of, in a page without a browser. It
// speaks GraphQL to a fixed address, which is redirected here.
import { registerHooks } from 'node:module';
import process from 'node:process';
import { JSDOM } from 'jsdom';
import { authorization, done, expect, libraryId, organizationId, picture, url, versionOf } from './environment.mjs';

const SEEN_WITHIN_MILLISECONDS = 30_000;
const { window } = new JSDOM('<div id="libraries"></div><div id="images"></div>', { url: 'https://cms.example/' });
const asked = [];
class IntersectionObserver {
  observe() {}
  disconnect() {}
}
window.scrollTo = () => {};
for (const [name, value] of Object.entries({
  window,
  document: window.document,
  sessionStorage: window.sessionStorage,
  HTMLElement: window.HTMLElement,
  IntersectionObserver,
})) {
  Object.defineProperty(globalThis, name, { value, configurable: true });
}

const network = globalThis.fetch;
globalThis.fetch = (address, init) => {
  // Everything else is a report about the page, sent to another server.
  if (!init?.body?.includes('"query"')) return Promise.reject(new Error(`${address} is not reached from here`));
  asked.push(JSON.parse(init.body));
  return network(`${url}${new URL(address).pathname}`, init);
};

// The first result of `find`.
async function seen(what, find) {
  const end = Date.now() + SEEN_WITHIN_MILLISECONDS;
  for (;;) {
    const found = find();
    if (found) return found;
    expect(Date.now() < end, `${what}, and not ${window.document.body.innerHTML}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const form = new FormData();
form.append('files', new Blob([picture]), 'for the cms.jpg');
const address = `${url}/organizations/${organizationId}/libraries/${libraryId}/assets`;
const headers = { ...authorization, 'Api-Version': '2026-07-08' };
const { data } = await (await network(address, { method: 'POST', headers, body: form })).json();

// A bundler would remove the styles.
registerHooks({
  load: (address, context, next) =>
    address.endsWith('.css') ? { format: 'module', source: '', shortCircuit: true } : next(address, context),
});
const { createElement } = await import('react');
const { createRoot } = await import('react-dom/client');
const { RasterImages, RasterLibraries } = await import('@raster-app/raster-toolkit');
const config = { apiKey: authorization.Authorization.split(' ')[1], orgId: organizationId };
const show = (id, component) =>
  createRoot(window.document.getElementById(id)).render(createElement(component, { config }));

show('libraries', RasterLibraries);
const named = () => [...window.document.querySelectorAll('#libraries button')].find((b) => b.textContent === 'Library');
(await seen('the library', named)).click();
show('images', RasterImages);
const ours = () => [...window.document.querySelectorAll('#images img')].find((i) => i.src.includes(data.assets[0].id));
const image = await seen('the picture', ours);
const thumbnail = await network(image.src);
expect(thumbnail.status === 200 && thumbnail.headers.get('content-type').startsWith('image/'), 'its thumbnail');
expect(asked.length === 2 && asked.every(({ operationName }) => operationName === 'Query'), 'two questions');
done(versionOf('@raster-app/raster-toolkit'), 'libraries and photos in its components, a thumbnail');
process.exit();
