/** An agent without a model: it tags what has no tag yet, with the tools of the server. */

import type { Client } from "@modelcontextprotocol/client";

interface Me {
  organizationId: string;
  libraries: { library: string; access: "read" | "write" }[];
}

/** Tags all assets without tags in every library that the agent may write, and returns how many there were. */
export async function tagNewAssets(agent: Client, tag: string): Promise<number> {
  const { organizationId, libraries } = await answer<Me>(agent, "whoami");
  let tagged = 0;
  for (const { library } of libraries.filter(({ access }) => access === "write")) {
    const place = { organizationId, libraryId: library };
    const { assets } = await answer<{ assets: { id: string; tags: string[] }[] }>(agent, "list_assets", place);
    const assetIds = assets.filter(({ tags }) => tags.length === 0).map(({ id }) => id);
    if (assetIds.length === 0) continue;
    const tagging = { ...place, assetIds, tags: [tag] };
    tagged += (await answer<{ taggedCount: number }>(agent, "tag_assets", tagging)).taggedCount;
  }
  return tagged;
}

/** Calls a tool. Throws the server's reason when it refuses. */
export async function answer<Answer>(agent: Client, name: string, input = {}): Promise<Answer> {
  const result = await agent.callTool({ name, arguments: input });
  if (result.isError) throw new Error(`${name}: ${JSON.stringify(result.content)}`);
  return result.structuredContent as Answer;
}
