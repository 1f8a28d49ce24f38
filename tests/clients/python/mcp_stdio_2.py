"""The official SDK, version 2, which starts each bridge."""

import asyncio

from bridges import BRIDGES, ENVIRONMENT
from environment import done
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from tour import TOUR, answer, resources_work, tools_work


async def main() -> None:
    for command, args in BRIDGES:
        bridge = StdioServerParameters(command=command, args=args, env=ENVIRONMENT)
        async with Client(stdio_client(bridge)) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]

            async def call(name: str, arguments: dict):
                return answer(await client.call_tool(name, arguments))

            await tools_work(names, call)
            await resources_work(client)
    done("mcp", f"2 bridges: {TOUR}")


asyncio.run(main())
