"""An agent that calls tools through the MCP SDK."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from rasterd.testing import Access, Organization

from librarian import answer, tag_new_assets


@asynccontextmanager
async def agent_of(organization: Organization, access: Access = "write") -> AsyncIterator[Client]:
    server = organization.server
    async with (
        httpx2.AsyncClient(headers=organization.headers(access), verify=server.ssl_context) as http,
        Client(streamable_http_client(server.mcp_url, http_client=http)) as agent,
    ):
        yield agent


async def upload(agent: Client, organization: Organization, picture: bytes) -> None:
    source = {
        "kind": "base64",
        "filename": "wine.png",
        "mimeType": "image/png",
        "data": base64.b64encode(picture).decode(),
    }
    place = {"organizationId": organization.slug, "libraryId": organization.library.slug}
    await answer(agent, "upload_asset", **place, source=source)


async def test_the_agent_tags_only_what_is_new(rasterd_org: Organization, picture: bytes) -> None:
    async with agent_of(rasterd_org) as agent:
        await upload(agent, rasterd_org, picture)
        assert await tag_new_assets(agent, "to sort") == 1
        assert await tag_new_assets(agent, "to sort") == 0
    calls = rasterd_org.server.requests(organization=rasterd_org.slug, operation="tag_assets")
    assert [call["status"] for call in calls] == [200]


async def test_an_agent_that_may_only_read_changes_nothing(rasterd_org: Organization, picture: bytes) -> None:
    async with agent_of(rasterd_org) as writer, agent_of(rasterd_org, "read") as reader:
        await upload(writer, rasterd_org, picture)
        assert await tag_new_assets(reader, "to sort") == 0
        with pytest.raises(RuntimeError, match="API_KEY_NOT_AUTHORIZED_FOR_LIBRARY"):
            await upload(reader, rasterd_org, picture)
