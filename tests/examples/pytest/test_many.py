"""Two hundred tests against one server, each in an organization of its own, on several workers of pytest-xdist."""

import asyncio

import httpx
import pytest
from rasterd.testing import Organization, Server


@pytest.mark.parametrize("number", range(200))
def test_nobody_else_is_in_the_organization(rasterd_org: Organization, picture: bytes, number: int) -> None:
    trust, url = rasterd_org.server.ssl_context, rasterd_org.assets_url
    with httpx.Client(headers=rasterd_org.headers(), verify=trust) as client:
        assert client.get(url).json()["data"] == []
        client.post(url, files={"files": (f"{number}.png", picture)}).raise_for_status()
        assert [asset["name"] for asset in client.get(url).json()["data"]] == [str(number)]


async def test_two_hundred_tasks_of_asyncio(rasterd: Server, picture: bytes) -> None:
    async def alone(client: httpx.AsyncClient, number: int) -> list[str]:
        organization = await asyncio.to_thread(rasterd.new_organization)
        url, headers = organization.assets_url, organization.headers()
        (
            await client.post(url, headers=headers, files={"files": (f"{number}.png", picture)})
        ).raise_for_status()
        return [asset["name"] for asset in (await client.get(url, headers=headers)).json()["data"]]

    async with httpx.AsyncClient(verify=rasterd.ssl_context, timeout=60) as client:
        names = await asyncio.gather(*(alone(client, number) for number in range(200)))
    assert names == [[str(number)] for number in range(200)]
