/** The global `fetch`, where Node can trust an authority later. */

import tls from "node:tls";
import { expect } from "vitest";
import { server, test } from "./fixtures.js";

test.skipIf(!("setDefaultCACertificates" in tls))("the global fetch trusts the server", async ({ organization }) => {
  await expect(fetch(server.url)).rejects.toThrow("fetch failed");
  server.trustHere();
  const answer = await fetch(organization.assetsUrl, { headers: organization.headers() });
  expect(answer.status).toBe(200);
});
