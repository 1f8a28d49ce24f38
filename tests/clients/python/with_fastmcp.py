"""FastMCP's client."""

import asyncio

from environment import AUTHORIZATION, MCP, done
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from tour import TOUR, answer, resources_work, tools_work


async def main() -> None:
    async with Client(StreamableHttpTransport(MCP, headers=AUTHORIZATION)) as client:
        names = [tool.name for tool in await client.list_tools()]

        async def call(name: str, arguments: dict):
            return answer(await client.call_tool(name, arguments, raise_on_error=False))

        await tools_work(names, call)
        await resources_work(client)
    done("fastmcp", TOUR)


asyncio.run(main())
