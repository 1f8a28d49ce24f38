"""What every MCP client does here: calls each tool, reads resources, gets errors. A client that knows the schemas
of answers checks each answer by itself."""

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

from environment import LIBRARY, ORGANIZATION, PICTURE, PICTURE_URL, expect

TOOLS = "tools/list, every tool, errors"
TOUR = f"{TOOLS}, resources, templates"
IDS = {"organizationId": ORGANIZATION, "libraryId": LIBRARY}

Call = Callable[[str, dict], Awaitable[Any]]


class Refused(Exception):
    """An error of a tool, with its message."""


async def tools_work(names: list[str], call: Call) -> None:
    """`call` returns what a tool answers, as a dictionary, and raises `Refused` for an error of the tool."""
    called = set()

    async def noted(name: str, arguments: dict) -> Any:
        called.add(name)
        return await call(name, arguments)

    second = await libraries_work(noted)
    assets = await uploads_work(noted)
    await assets_work(noted, assets, second)
    expect(called == set(names), f"every tool called, and not all but {set(names) - called}")


async def libraries_work(call: Call) -> str:
    me = await call("whoami", {})
    expect(me["organizationId"] == ORGANIZATION, "the organization")
    made = await call("create_library", {"organizationId": ORGANIZATION, "name": "Of an agent"})
    new = {"organizationId": ORGANIZATION, "libraryId": made["id"]}
    renamed = await call("rename_library", {**new, "name": "Renamed"})
    expect(renamed["name"] == "Renamed" and renamed["id"] == made["id"], "the new name")
    got = await call("get_library", {"organizationId": ORGANIZATION, "libraryId": made["id"]})
    expect(got["name"] == "Renamed", "the new name of the library itself")
    address = await call("create_upload", {**new, "filename": "later.jpg"})
    expect("/uploads/" in address["uploadUrl"] and address["maxBytes"] > 0, "an address to upload a file to")
    libraries = listed(await call("list_libraries", {"organizationId": ORGANIZATION}), "libraries")
    expect(any(library["id"] == made["id"] for library in libraries), "the new library in the list")
    return made["id"]


async def uploads_work(call: Call) -> list[str]:
    """Three assets, the first with a variant."""
    data = base64.encodebytes(PICTURE).decode()
    encoded = {"kind": "base64", "filename": "from an agent.jpg", "mimeType": "image/jpeg", "data": data}
    url = {"kind": "url", "url": PICTURE_URL}
    asset = (await call("upload_asset", {**IDS, "source": encoded}))["assets"][0]
    variant = (await call("upload_asset", {**IDS, "source": url, "parentId": asset["id"]}))["assets"][0]
    promotion = {**IDS, "assetId": asset["id"], "variantId": variant["id"]}
    promoted = await call("promote_variant", promotion)
    expect(promoted["id"] == asset["id"] and len(promoted["variants"]) == 1, "the asset with its variant")
    both = (await call("upload_assets", {**IDS, "sources": [url, encoded]}))["assets"]
    expect([one["name"] for one in both] == ["wine", "from an agent"], "both in order")
    return [one["id"] for one in (asset, *both)]


async def assets_work(call: Call, assets: list[str], target: str) -> None:
    asset, moved, trashed = assets
    one = {**IDS, "assetId": asset}
    await call("update_asset_description", {**one, "description": "Wine, by an agent"})
    tagged = await call("tag_assets", {**IDS, "assetIds": assets, "tags": ["wine", asset]})
    expect(tagged["taggedCount"] == 6, "six tags")
    expect(listed(await call("list_tags", {**IDS, "limit": 5}), "tags"), "tags")
    page = await call("list_assets", {**IDS, "pageSize": 2, "fields": ["name", "url"]})
    expect(len(listed(page, "assets")) == 2, "two assets in a page")
    expect(isinstance(page, list) or (page["nextPage"] == 2 and page["total"] >= 3), "what else there is")
    filtered = listed(await call("list_assets", {**IDS, "tags": [asset]}), "assets")
    expect([one["id"] for one in filtered] == assets[::-1], "the assets with the tag")
    found = await call("search_assets", {"organizationId": ORGANIZATION, "q": "agent", "pageSize": 100})
    expect(any(hit["id"] == asset for hit in found["hits"]), "the asset in a search")
    scope = {"organizationId": ORGANIZATION, "libraries": [LIBRARY]}
    await call("search_assets", {**scope, "fields": ["name"], "pageSize": 5})
    await call("untag_assets", {**IDS, "assetIds": [asset], "tags": ["wine"]})
    whole = await call("get_asset", {**one, "preview": True})
    expect(whole["tags"] == [asset] and whole["description"] == "Wine, by an agent", "the tag that is left")

    transfer = {"organizationId": ORGANIZATION, "sourceLibraryId": LIBRARY, "targetLibraryId": target}
    transferred = await call("transfer_assets", {**transfer, "assetIds": [moved]})
    expect(transferred["transferredCount"] == 1, "an asset in the other library")
    expect((await call("delete_assets", {**IDS, "ids": [trashed]}))["success"], "assets in the trash")
    await refuses(call, "RESOURCE_NOT_FOUND", "get_asset", {**IDS, "assetId": trashed})
    await refuses(call, "APPROVAL_REQUIRES_USER", "set_asset_approval", {**one, "state": "approved"})


async def refuses(call: Call, code: str, name: str, arguments: dict) -> None:
    try:
        answer = await call(name, arguments)
    except Refused as refused:
        expect(code in str(refused), f"{code} of {name}, and not {refused}")
    else:
        expect(False, f"{code} of {name}, and not {answer}")


async def resources_work(client: Any) -> None:
    """With a client whose methods are those of the official SDK."""
    templates = await client.list_resource_templates()
    expect(len(items(templates, "resourceTemplates", "resource_templates")) == 3, "three templates")
    resources = items(await client.list_resources(), "resources")
    uris = [str(resource.uri) for resource in resources]
    assets = next((uri for uri in uris if uri.endswith(f"/libraries/{LIBRARY}/assets")), None)
    expect(assets, f"the assets of the library among the resources {uris}")
    contents = items(
        await client.read_resource(next(r.uri for r in resources if str(r.uri) == assets)), "contents"
    )
    expect(isinstance(json.loads(contents[0].text), list), "a list in the resource")


def items(result: Any, *names: str) -> list:
    """The list in a result; some clients return the list itself."""
    if isinstance(result, list):
        return result
    return next(getattr(result, name) for name in names if hasattr(result, name))


def listed(answer: Any, name: str) -> list:
    """The list in an answer: under its name in structured content, bare in the text."""
    return answer if isinstance(answer, list) else answer[name]


def answer(result: Any) -> Any:
    """What a tool answered, out of a result of the official SDK: structured, unless it is too old for that."""
    text = result.content[0].text
    if getattr(result, "isError", None) or getattr(result, "is_error", None):
        raise Refused(text)
    structured = getattr(result, "structuredContent", None) or getattr(result, "structured_content", None)
    return structured or json.loads(text)
