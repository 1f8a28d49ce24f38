"""An agent without a model: it tags what has no tag yet, with the tools of the server."""

from typing import Any

from mcp.client import Client


async def tag_new_assets(agent: Client, tag: str) -> int:
    """Tags all assets without tags in every library that the agent may write, and returns how many there were."""
    tagged = 0
    me = await answer(agent, "whoami")
    for grant in me["libraries"]:
        if grant["access"] != "write":
            continue
        place = {"organizationId": me["organizationId"], "libraryId": grant["library"]}
        assets = (await answer(agent, "list_assets", **place))["assets"]
        new = [asset["id"] for asset in assets if not asset["tags"]]
        if new:
            tagged += (await answer(agent, "tag_assets", **place, assetIds=new, tags=[tag]))["taggedCount"]
    return tagged


async def answer(agent: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Calls a tool. Raises `RuntimeError` with the server's reason when it refuses."""
    result = await agent.call_tool(tool, arguments)
    if result.is_error or not isinstance(result.structured_content, dict):
        raise RuntimeError(f"{tool}: {result.content}")
    return result.structured_content
