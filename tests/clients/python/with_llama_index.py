"""LlamaIndex's MCP tools."""

import asyncio

from environment import AUTHORIZATION, MCP, done
from llama_index.tools.mcp import BasicMCPClient, McpToolSpec
from tour import TOOLS, answer, tools_work


async def main() -> None:
    client = BasicMCPClient(MCP, headers=AUTHORIZATION)
    tools = {tool.metadata.name: tool for tool in await McpToolSpec(client=client).to_tool_list_async()}

    async def call(name: str, arguments: dict):
        return answer((await tools[name].acall(**arguments)).raw_output)

    await tools_work(list(tools), call)
    done("llama-index-tools-mcp", TOOLS)


asyncio.run(main())
