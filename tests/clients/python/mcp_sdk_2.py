"""The official SDK, version 2, which speaks the stateless revision of the protocol."""

import asyncio

import httpx2
from environment import AUTHORIZATION, MCP, done
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from tour import TOUR, answer, resources_work, tools_work


async def main() -> None:
    async with httpx2.AsyncClient(headers=AUTHORIZATION) as http:
        async with Client(streamable_http_client(MCP, http_client=http)) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]

            async def call(name: str, arguments: dict):
                return answer(await client.call_tool(name, arguments))

            await tools_work(names, call)
            await resources_work(client)
    done("mcp", TOUR)


asyncio.run(main())
