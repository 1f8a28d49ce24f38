/** An agent that calls tools through the MCP SDK. */

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { Access, Organization } from "rasterd";
import { expect } from "vitest";
import { picture, server, test, upload } from "./fixtures.js";
import { answer, tagNewAssets } from "./librarian.js";

async function agentOf(organization: Organization, access: Access): Promise<Client> {
  const agent = new Client({ name: "librarian", version: "1" });
  const options = { fetch: server.fetch, requestInit: { headers: organization.headers(access) } };
  await agent.connect(new StreamableHTTPClientTransport(new URL(server.mcpUrl), options));
  return agent;
}

test("the agent tags only what is new", async ({ organization }) => {
  await upload(organization, "wine.png");
  const agent = await agentOf(organization, "write");
  expect(await tagNewAssets(agent, "to sort")).toBe(1);
  expect(await tagNewAssets(agent, "to sort")).toBe(0);
  const calls = await server.requests({ organization: organization.slug, operation: "tag_assets" });
  expect(calls.map(({ status }) => status)).toEqual([200]);
});

test("an agent that may only read changes nothing", async ({ organization }) => {
  await upload(organization, "wine.png");
  const agent = await agentOf(organization, "read");
  expect(await tagNewAssets(agent, "to sort")).toBe(0);
  const source = { kind: "base64", filename: "b.png", mimeType: "image/png", data: picture.toString("base64") };
  const place = { organizationId: organization.slug, libraryId: organization.library.slug };
  await expect(answer(agent, "upload_asset", { ...place, source })).rejects.toThrow(
    "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY",
  );
});
