"""What every script here knows about the server, and how it reports what it did."""

import importlib.metadata
import os
from pathlib import Path

URL = os.environ["RASTERD_URL"]
MCP = f"{URL}/mcp"
ORGANIZATION = os.environ["RASTERD_ORGANIZATION"]
LIBRARY = os.environ["RASTERD_LIBRARY"]
LIBRARY_URL = f"{URL}/organizations/{ORGANIZATION}/libraries/{LIBRARY}"
PICTURE = Path(os.environ["RASTERD_PICTURE"]).read_bytes()
PICTURE_URL = os.environ["RASTERD_PICTURE_URL"]
KEY = os.environ["RASTERD_API_KEY"]
AUTHORIZATION = {"Authorization": f"Bearer {KEY}"}
REST = {**AUTHORIZATION, "Api-Version": "2026-07-08"}


def expect(condition: object, what: str) -> None:
    if not condition:
        raise SystemExit(f"Expected {what}.")


def done(package: str, ran: str) -> None:
    """Prints which version of the package ran what."""
    report(importlib.metadata.version(package), ran)


def report(version: str, ran: str) -> None:
    """Prints which version ran what."""
    print(f"version: {version}")
    print(f"ran: {ran}")
