/** The server, and a new organization for each test that asks for one. */

import { connectRasterd, type Organization } from "rasterd";
import { test as base, inject } from "vitest";

export const server = connectRasterd(inject("rasterd"));

export const test = base.extend<{ organization: Organization }>({
  organization: async ({}, use) => use(await server.newOrganization()),
});

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

/** A small PNG. */
export const picture = Buffer.from(PNG, "base64");

/** Uploads a picture with the key that may write. */
export async function upload(organization: Organization, name: string): Promise<void> {
  const body = new FormData();
  body.append("files", new Blob([picture], { type: "image/png" }), name);
  const answer = await server.fetch(organization.assetsUrl, { method: "POST", headers: organization.headers(), body });
  if (!answer.ok) throw new Error(await answer.text());
}

/** The names of the assets in its first library. */
export async function names(organization: Organization): Promise<string[]> {
  const answer = await server.fetch(organization.assetsUrl, { headers: organization.headers("read") });
  const { data } = (await answer.json()) as { data: { name: string }[] };
  return data.map(({ name }) => name);
}
