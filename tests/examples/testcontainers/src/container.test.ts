import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { startInContainer } from "./container.js";

const skip = process.env["DOCKER_HOST"] || existsSync("/var/run/docker.sock") ? false : "there is no Docker here";

test("an organization in a container", { skip }, async () => {
  const { container, server } = await startInContainer();
  try {
    const organization = await server.newOrganization();
    const answer = await server.fetch(organization.assetsUrl, { headers: organization.headers() });
    assert.deepEqual(await answer.json(), { data: [] });
  } finally {
    await container.stop();
  }
});
