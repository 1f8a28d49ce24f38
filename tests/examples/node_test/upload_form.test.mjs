/** An upload form, and what its visitors see when something goes wrong. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, afterEach, beforeEach, test } from "node:test";
import { startRasterd } from "rasterd";
import { gallery } from "./gallery.mjs";
import { formWith, picture } from "./picture.mjs";

const server = await startRasterd();
after(() => server.stop());

let organization, page, address;

beforeEach(async () => {
  organization = await server.newOrganization();
  page = gallery({ assetsUrl: organization.assetsUrl, headers: organization.headers(), fetch: server.fetch });
  page.listen(0, "127.0.0.1");
  await once(page, "listening");
  address = `http://127.0.0.1:${page.address().port}/`;
});

afterEach(() => page.close());

async function sent(file) {
  const answer = await fetch(address, { method: "POST", body: formWith("wine.png", file) });
  return answer.text();
}

/** The names of the assets, as the key that may read sees them. */
async function stored() {
  const answer = await server.fetch(organization.assetsUrl, { headers: organization.headers("read") });
  return (await answer.json()).data.map(({ name }) => name);
}

test("a picture is shown after its upload", async () => {
  const [, url] = (await sent(picture)).match(/<img src="(.+)">/);
  const served = await server.fetch(url);
  assert.deepEqual(Buffer.from(await served.arrayBuffer()), picture);
  assert.deepEqual(await stored(), ["wine"]);
});

test("a file that is no picture is refused with a reason", async () => {
  assert.match(await sent("not a picture"), /wine\.png/);
  assert.deepEqual(await stored(), []);
});

test("a key that is revoked in the middle of an upload", async () => {
  await organization.addFault({ revokeKeyAfterBytes: 100_000 }, { times: 1 });
  assert.match(await sent(new Uint8Array(5_000_000)), /API key|interrupted/);
  assert.deepEqual(await stored(), []);
  const again = await server.fetch(organization.assetsUrl, { headers: organization.headers() });
  assert.equal(again.status, 401);
});
