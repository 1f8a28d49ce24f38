"""Pydantic AI's toolset."""

import asyncio
import json

from environment import AUTHORIZATION, MCP, done
from pydantic_ai import ModelRetry
from pydantic_ai.mcp import MCPToolset
from tour import TOOLS, Refused, tools_work


async def main() -> None:
    async with MCPToolset(MCP, headers=AUTHORIZATION) as toolset:
        names = [tool.name for tool in await toolset.list_tools()]

        async def call(name: str, arguments: dict):
            try:
                said = await toolset.direct_call_tool(name, arguments)
            except ModelRetry as error:
                raise Refused(str(error)) from error
            # Only with a picture beside it an answer comes as its parts, the text first.
            said = said[0] if isinstance(said, list) else said
            return json.loads(said) if isinstance(said, str) else said

        await tools_work(names, call)
    done("pydantic-ai-slim", TOOLS)


asyncio.run(main())
