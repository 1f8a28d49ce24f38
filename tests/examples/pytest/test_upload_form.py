"""An upload form, and what its visitors see when something goes wrong."""

import threading
from collections.abc import Iterator

import httpx
import pytest
from rasterd.testing import Organization

from gallery import Gallery


@pytest.fixture
def gallery(rasterd_org: Organization) -> Iterator[Gallery]:
    page = Gallery(rasterd_org.assets_url, rasterd_org.headers(), rasterd_org.server.ssl_context)
    with page:
        threading.Thread(target=page.serve_forever, daemon=True).start()
        yield page
        page.shutdown()


def sent(gallery: Gallery, file: bytes) -> str:
    return httpx.post(gallery.url, files={"files": ("wine.png", file, "image/png")}, timeout=60).text


def stored(organization: Organization) -> list[str]:
    """The names of the assets, as the key that may read sees them."""
    trust = organization.server.ssl_context
    answer = httpx.get(organization.assets_url, headers=organization.headers("read"), verify=trust)
    return [asset["name"] for asset in answer.json()["data"]]


def test_a_picture_is_shown_after_its_upload(
    gallery: Gallery, rasterd_org: Organization, picture: bytes
) -> None:
    page = sent(gallery, picture)
    url = page.removeprefix('<img src="').removesuffix('">')
    assert httpx.get(url, verify=rasterd_org.server.ssl_context).content == picture
    assert stored(rasterd_org) == ["wine"]


def test_a_file_that_is_no_picture_is_refused_with_a_reason(
    gallery: Gallery, rasterd_org: Organization
) -> None:
    assert "wine.png" in sent(gallery, b"not a picture")
    assert stored(rasterd_org) == []


def test_a_key_that_is_revoked_in_the_middle_of_an_upload(
    gallery: Gallery, rasterd_org: Organization
) -> None:
    rasterd_org.add_fault({"revokeKeyAfterBytes": 100_000}, times=1)
    page = sent(gallery, bytes(5_000_000))
    assert "API key" in page or "interrupted" in page
    assert stored(rasterd_org) == []
    # The key stays revoked.
    again = httpx.get(
        rasterd_org.assets_url, headers=rasterd_org.headers(), verify=rasterd_org.server.ssl_context
    )
    assert (again.status_code, again.json()["error"]["code"]) == (401, "INVALID_API_KEY")
