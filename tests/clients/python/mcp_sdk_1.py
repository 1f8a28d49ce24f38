"""The official SDK, version 1."""

import asyncio

from environment import AUTHORIZATION, MCP, done
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from tour import TOUR, answer, resources_work, tools_work


async def main() -> None:
    async with (
        streamablehttp_client(MCP, headers=AUTHORIZATION) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        names = [tool.name for tool in (await session.list_tools()).tools]

        async def call(name: str, arguments: dict):
            return answer(await session.call_tool(name, arguments))

        await tools_work(names, call)
        await resources_work(session)
    done("mcp", TOUR)


asyncio.run(main())
