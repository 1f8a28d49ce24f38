"""The official SDK, version 1, which starts each bridge."""

import asyncio

from bridges import BRIDGES, ENVIRONMENT
from environment import done
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from tour import TOUR, answer, resources_work, tools_work


async def main() -> None:
    for command, args in BRIDGES:
        bridge = StdioServerParameters(command=command, args=args, env=ENVIRONMENT)
        async with stdio_client(bridge) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            names = [tool.name for tool in (await session.list_tools()).tools]

            async def call(name: str, arguments: dict):
                return answer(await session.call_tool(name, arguments))

            await tools_work(names, call)
            await resources_work(session)
    done("mcp", f"2 bridges: {TOUR}")


asyncio.run(main())
