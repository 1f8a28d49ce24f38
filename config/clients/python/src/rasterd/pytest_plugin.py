"""The fixtures `rasterd`, a server for all tests, and `rasterd_org`, a new organization for each test."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from rasterd.testing import Organization, Server

SHARED = pytest.StashKey[Server]()
"""The server that the controller of pytest-xdist has started for all its workers."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The settings in pytest's configuration."""
    parser.addini(
        "rasterd_options", "further options of `rasterd serve --ephemeral`", type="args", default=[]
    )
    parser.addini(
        "rasterd_shared",
        "with pytest-xdist: one server for all workers, in place of one for each",
        type="bool",
        default=False,
    )


@pytest.fixture(scope="session")
def rasterd(pytestconfig: pytest.Config) -> Iterator[Server]:
    """A server for all tests of this run. A fixture of the same name in `conftest.py` takes its place."""
    if shared := getattr(pytestconfig, "workerinput", {}).get("rasterd"):
        yield Server.connect(json.loads(shared))
        return
    with Server(options=pytestconfig.getini("rasterd_options")) as server:
        yield server


@pytest.fixture
def rasterd_org(rasterd: Server) -> Organization:
    """A new organization with a library and keys, for one test."""
    return rasterd.new_organization()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Gives each worker of pytest-xdist the server that they share."""
    config: pytest.Config = node.config
    if not config.getini("rasterd_shared"):
        return
    if SHARED not in config.stash:
        config.stash[SHARED] = Server(options=config.getini("rasterd_options"))
    node.workerinput["rasterd"] = json.dumps(config.stash[SHARED].connection)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops the server that workers shared."""
    if server := config.stash.get(SHARED, None):
        server.stop()
