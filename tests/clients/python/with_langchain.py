"""LangChain's adapters: the tools as an agent of LangChain gets them."""

import asyncio
import json

from environment import AUTHORIZATION, MCP, done
from langchain_core.tools import ToolException
from langchain_mcp_adapters.client import MultiServerMCPClient
from tour import TOOLS, Refused, tools_work


async def main() -> None:
    server = {"transport": "streamable_http", "url": MCP, "headers": AUTHORIZATION}
    tools = {tool.name: tool for tool in await MultiServerMCPClient({"rasterd": server}).get_tools()}

    async def call(name: str, arguments: dict):
        try:
            said = await tools[name].ainvoke(arguments)
        except ToolException as error:
            raise Refused(str(error)) from error
        text = said if isinstance(said, str) else said[0]["text"]
        answer = json.loads(text)
        if "error" in answer:
            raise Refused(text)
        return answer

    await tools_work(list(tools), call)
    done("langchain-mcp-adapters", TOOLS)


asyncio.run(main())
