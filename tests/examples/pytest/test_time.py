"""A server with a clock that the test sets. It is one of its own: all organizations have the same clock."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from rasterd.testing import Server

CHRISTMAS = datetime(2030, 12, 25, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(clock=CHRISTMAS, ids="seeded:1") as server:
        yield server


def test_assets_are_of_the_time_that_the_test_sets(server: Server, picture: bytes) -> None:
    url = server.organization.assets_url
    with httpx.Client(headers=server.headers(), verify=server.ssl_context) as client:
        first = client.post(url, files={"files": ("first.png", picture)}).json()["data"]["assets"][0]
        server.advance_clock(timedelta(days=1))
        second = client.post(url, files={"files": ("second.png", picture)}).json()["data"]["assets"][0]
    assert first["created"] == CHRISTMAS.timestamp() * 1000
    assert second["created"] == (CHRISTMAS + timedelta(days=1)).timestamp() * 1000


def test_the_trash_is_emptied_after_thirty_days(server: Server, picture: bytes) -> None:
    url = server.organization.assets_url
    with httpx.Client(headers=server.headers(), verify=server.ssl_context) as client:

        def in_trash() -> int:
            return int(client.get(url.removesuffix("/assets")).json()["data"]["trashCount"])

        asset = client.post(url, files={"files": ("old.png", picture)}).json()["data"]["assets"][0]
        client.request("DELETE", url, json={"ids": [asset["id"]]}).raise_for_status()
        assert in_trash() == 1
        server.advance_clock(timedelta(days=31))
        server.wait_until_idle()
        assert in_trash() == 0


def test_a_reset_goes_back(server: Server, picture: bytes) -> None:
    url = server.organization.assets_url
    with httpx.Client(headers=server.headers(), verify=server.ssl_context) as client:
        client.post(url, files={"files": ("one.png", picture)})
        server.take_snapshot("with one")
        client.post(url, files={"files": ("two.png", picture)})
        server.reset("with one")
        assert [asset["name"] for asset in client.get(url).json()["data"]] == ["one"]
        server.reset()
        assert client.get(url).json()["data"] == []
