/** What a program does when the server has trouble. */

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { startRasterd } from "rasterd";
import { formWith, picture } from "./picture.mjs";

const server = await startRasterd();
after(() => server.stop());

let organization;
beforeEach(async () => void (organization = await server.newOrganization()));

function listed(init) {
  return server.fetch(organization.assetsUrl, { headers: organization.headers(), ...init });
}

test("an error comes as often as asked", async () => {
  await organization.addFault({ status: 503, code: "SERVICE_UNAVAILABLE" }, { operation: "list_assets", times: 2 });
  for (const expected of [503, 503, 200]) assert.equal((await listed()).status, expected);
  const seen = await server.requests({ keyId: organization.keyIds.write });
  assert.deepEqual(
    seen.map(({ status }) => status),
    [503, 503, 200],
  );
});

test("a slow answer meets the time limit", async () => {
  const fault = await organization.addFault({ latencyMs: 2000 });
  await assert.rejects(listed({ signal: AbortSignal.timeout(300) }), { name: "TimeoutError" });
  await fault.remove();
  assert.equal((await listed()).status, 200);
});

test("a connection is cut", async () => {
  await organization.addFault({ cut: true }, { times: 1 });
  await assert.rejects(listed(), TypeError);
});

test("a full disk refuses uploads and answers reads", async () => {
  await organization.addFault({ fullDisk: true });
  const refused = await listed({ method: "POST", body: formWith("wine.png", picture) });
  assert.equal((await refused.json()).error.code, "STORAGE_FULL");
  assert.equal((await listed()).status, 200);
});
