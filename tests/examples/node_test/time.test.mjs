/** A server with a clock that the test sets. */

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { startRasterd } from "rasterd";
import { formWith, picture } from "./picture.mjs";

const CHRISTMAS = new Date("2030-12-25T00:00:00Z");
const server = await startRasterd({ clock: CHRISTMAS, ids: "seeded:1" });
after(() => server.stop());
beforeEach(() => server.reset());

const { assetsUrl } = server.organization;

async function uploaded(name) {
  const answer = await server.fetch(assetsUrl, {
    method: "POST",
    headers: server.headers(),
    body: formWith(name, picture),
  });
  return (await answer.json()).data.assets[0];
}

test("assets are of the time that the test sets", async () => {
  await server.setClock(CHRISTMAS);
  const first = await uploaded("first.png");
  await server.advanceClock(60);
  const second = await uploaded("second.png");
  assert.equal(first.created, CHRISTMAS.getTime());
  assert.equal(second.created, CHRISTMAS.getTime() + 60_000);
});

test("a reset goes back to a snapshot", async () => {
  const names = async () => {
    const answer = await server.fetch(assetsUrl, { headers: server.headers() });
    return (await answer.json()).data.map(({ name }) => name);
  };
  await uploaded("one.png");
  await server.takeSnapshot("with one");
  await uploaded("two.png");
  await server.reset("with one");
  assert.deepEqual(await names(), ["one"]);
  await server.reset();
  assert.deepEqual(await names(), []);
});
