import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startRasterd } from "rasterd";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

let server;
beforeAll(async () => void (server = await startRasterd()));
afterAll(() => server?.stop());

test("an upload is listed", async () => {
  const { assetsUrl } = server.organization;
  const body = new FormData();
  body.append("files", new Blob([Buffer.from(PNG, "base64")]), "wine.png");
  const uploaded = await server.fetch(assetsUrl, { method: "POST", headers: server.headers(), body });
  expect(uploaded.status).toBe(200);
  const listed = await (await server.fetch(assetsUrl, { headers: server.headers("read") })).json();
  expect(listed.data.map(({ name }) => name)).toEqual(["wine"]);
});

test("a key without access sees no library", async () => {
  const answer = await server.fetch(server.organization.assetsUrl, { headers: server.headers("none") });
  expect(answer.status).toBe(404);
});
