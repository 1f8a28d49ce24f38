"""The MCP client of OpenAI's agents, with its check of the tools' schemas."""

import asyncio

from agents.mcp import MCPServerStreamableHttp, MCPUtil
from environment import AUTHORIZATION, MCP, done
from tour import TOOLS, answer, tools_work


async def main() -> None:
    async with MCPServerStreamableHttp({"url": MCP, "headers": AUTHORIZATION}) as server:
        tools = await server.list_tools()
        for tool in tools:
            MCPUtil.to_function_tool(tool, server, convert_schemas_to_strict=True)

        async def call(name: str, arguments: dict):
            return answer(await server.call_tool(name, arguments))

        await tools_work([tool.name for tool in tools], call)
    done("openai-agents", f"{TOOLS}, strict schemas")


asyncio.run(main())
