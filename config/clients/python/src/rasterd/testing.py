"""A server for tests: the real one, in a folder that is removed with it.

with Server() as server:
    httpx.get(f"{server.url}/me", headers=server.headers(), verify=server.ssl_context)
"""

import json
import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from rasterd import binary as packaged_binary
from rasterd._control import Control
from rasterd._process import Process, ServerError
from rasterd._wire import Access, Effect, Keys, Library, Match, Owner, RecordedRequest

__all__ = [
    "API_VERSION",
    "Access",
    "Effect",
    "Fault",
    "Keys",
    "Library",
    "Match",
    "Organization",
    "Owner",
    "RecordedRequest",
    "Server",
    "ServerError",
]

API_VERSION = "2026-07-08"
"""The version of the REST interface that `headers` ask for."""
READY_WITHIN_SECONDS = 60.0


@dataclass(frozen=True)
class Organization:
    """An organization with libraries and keys. Nobody else uses it, so tests with one each can run in parallel."""

    server: "Server" = field(repr=False)
    id: str
    slug: str
    libraries: tuple[Library, ...]
    keys: Keys = field(repr=False)
    key_ids: Keys
    """Their public ids, for faults and in the list of requests."""
    owner: Owner = field(repr=False)

    @property
    def library(self) -> Library:
        """The first library."""
        return self.libraries[0]

    @property
    def url(self) -> str:
        """Where its REST paths begin."""
        return f"{self.server.url}/organizations/{self.slug}"

    @property
    def assets_url(self) -> str:
        """Where the assets of its first library are listed and uploaded."""
        return f"{self.url}/libraries/{self.library.slug}/assets"

    def headers(self, access: Access = "write") -> dict[str, str]:
        """The headers of a request with the key that has this access: the key, and the version of REST."""
        return {"Authorization": f"Bearer {self.keys.of(access)}", "Api-Version": API_VERSION}

    def add_fault(
        self,
        effect: Effect,
        *,
        operation: str | None = None,
        access: Access = "write",
        times: int | None = None,
    ) -> "Fault":
        """Lets requests with one of its keys fail: those of an operation or all, a number of times or until removed."""
        match: Match = {"keyId": self.key_ids.of(access)}
        if operation is not None:
            match["operation"] = operation
        return self.server.add_fault(effect, match, times)


class Fault:
    """Something that goes wrong on purpose, until it is removed. As a context manager it removes itself."""

    def __init__(self, control: Control, identifier: str) -> None:
        """A fault that the server has."""
        self._control = control
        self.id = identifier

    def remove(self) -> None:
        """Ends it."""
        self._control.send("DELETE", f"/faults/{self.id}")

    def __enter__(self) -> Self:
        """Lasts for a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends with the block."""
        self.remove()


class Server:
    """A server for tests. It starts when it is made, and ends with `stop`, with its block or with this program."""

    def __init__(
        self,
        *,
        seed: str | os.PathLike[str] | None = None,
        snapshot: str | os.PathLike[str] | None = None,
        clock: datetime | str | None = None,
        ids: str | None = None,
        options: Sequence[str] = (),
        binary: str | os.PathLike[str] | None = None,
        ready_within_seconds: float = READY_WITHIN_SECONDS,
    ) -> None:
        """Starts a server and waits until it answers.

        `seed` is a folder of pictures to begin with, `snapshot` a file that an earlier one wrote; `clock` is where its
        clock stands, `ids` such as "seeded:1" makes ids and keys the same in each run; `options` are any others.
        """
        arguments = ["serve", "--ephemeral", *options]
        started_at = None if clock is None else rfc3339(clock)
        for option, value in (("seed", seed), ("snapshot", snapshot), ("clock", started_at), ("ids", ids)):
            if value is not None:
                arguments += [f"--{option}", os.fspath(value)]
        program = Path(binary) if binary is not None else packaged_binary()
        self._process: Process | None = Process(program, arguments)
        line = self._process.first_line(ready_within_seconds)
        try:
            self._read(line)
        except (ValueError, KeyError, TypeError) as error:
            self.stop()
            raise ServerError(
                f"{program} printed something else than a server's addresses: {line!r}"
            ) from error

    @classmethod
    def connect(cls, connection: Mapping[str, Any]) -> Self:
        """A server that another process has started: `connection` is that server's own."""
        server = cls.__new__(cls)
        server._process = None
        server._read(json.dumps(connection))
        return server

    def _read(self, line: str) -> None:
        """Reads what the server printed."""
        self.connection: dict[str, Any] = json.loads(line)
        """Everything that the server printed, as JSON: enough to `connect` in another process."""
        self.url: str = self.connection["url"]
        self.mcp_url: str = self.connection["mcpUrl"]
        self.graphql_url: str = self.connection["graphqlUrl"]
        self.app_url: str = self.connection["appUrl"]
        self.ca_file = Path(self.connection["caFile"])
        self.ca_pem: str = self.connection["caPem"]
        self.pid: int = self.connection["pid"]
        self.organization = self._organization(self.connection)
        control = self.connection["control"]
        self._control = Control(control["url"], control["token"], self.ssl_context, self._last_words)

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """Trusts this server and everything that this machine trusts: for httpx, aiohttp, urllib and the MCP SDK."""
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=self.ca_pem)
        return context

    @property
    def ca_bundle(self) -> Path:
        """The server's authority and those of this machine, as one file: for requests and other users of files."""
        return self.ca_file.with_name("ca-bundle.pem")

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which programs that a test starts trust this server."""
        return {
            "SSL_CERT_FILE": str(self.ca_bundle),
            "REQUESTS_CA_BUNDLE": str(self.ca_bundle),
            "CURL_CA_BUNDLE": str(self.ca_bundle),
            "NODE_EXTRA_CA_CERTS": str(self.ca_file),
        }

    def headers(self, access: Access = "write") -> dict[str, str]:
        """The headers of a request in the server's first organization."""
        return self.organization.headers(access)

    def new_organization(
        self, name: str | None = None, libraries: Sequence[str] | None = None
    ) -> Organization:
        """Makes an organization with these libraries, or one, that nobody else uses."""
        wanted = {"name": name, "libraries": None if libraries is None else list(libraries)}
        made = self._control.send("POST", "/organizations", given(wanted))
        return self._organization(made)

    def reset(self, snapshot: str | None = None) -> None:
        """Goes back to how the server started, or to a snapshot."""
        self._control.send("POST", "/reset", given({"snapshot": snapshot}))

    def take_snapshot(self, name: str) -> None:
        """Remembers everything as it is now, for `reset`."""
        self._control.send("POST", "/snapshots", {"name": name})

    def write_snapshot(self, file: str | os.PathLike[str]) -> None:
        """Writes everything as it is now into a file, for `Server(snapshot=…)`."""
        self._control.send("POST", "/snapshots", {"file": str(Path(file).absolute())})

    def set_clock(self, now: datetime | str) -> None:
        """Sets the server's clock, which then stands still."""
        self._control.send("PUT", "/clock", {"now": rfc3339(now)})

    def advance_clock(self, by: float | timedelta) -> None:
        """Sets the server's clock forward, by seconds or a `timedelta`. It then stands still."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        self._control.send("POST", "/clock/advance", {"seconds": seconds})

    def add_fault(self, effect: Effect, match: Match | None = None, times: int | None = None) -> Fault:
        """Lets requests to any organization fail: those that match, a number of times or until removed."""
        body = given({"effect": effect, "match": match or {}, "times": times})
        return Fault(self._control, self._control.send("POST", "/faults", body)["id"])

    def clear_faults(self) -> None:
        """Ends all faults."""
        self._control.send("DELETE", "/faults")

    def requests(
        self, *, operation: str | None = None, organization: str | None = None, key_id: str | None = None
    ) -> list[RecordedRequest]:
        """The last requests that the server has received, oldest first: all, or those of an operation, …."""
        filters = given({"operation": operation, "organization": organization, "keyId": key_id})
        answer: dict[str, list[RecordedRequest]] = self._control.send(
            "GET", f"/requests?{urlencode(filters)}"
        )
        return answer["requests"]

    def forget_requests(self) -> None:
        """Empties the list of requests."""
        self._control.send("DELETE", "/requests")

    def wait_until_idle(self) -> None:
        """Waits until the work after uploads is done, such as thumbnails."""
        self._control.send("POST", "/idle")

    def log(self) -> list[str]:
        """The last lines of its log; none of a server that another process has started."""
        return self._process.log() if self._process else []

    def stop(self) -> None:
        """Ends the server, which removes its folder. A server of another process goes on."""
        if self._process:
            self._process.stop()

    def _organization(self, made: Mapping[str, Any]) -> Organization:
        return Organization(
            server=self,
            id=made["organizationId"],
            slug=made["organization"],
            libraries=tuple(Library(**each) for each in made["libraries"]),
            keys=Keys(**made["keys"]),
            key_ids=Keys(**made["keyIds"]),
            owner=Owner(**made["owner"]),
        )

    def _last_words(self) -> str:
        return self._process.last_words() if self._process else "Another process started it."

    def __enter__(self) -> Self:
        """Runs for a block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stops at the end of the block."""
        self.stop()


def given(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def rfc3339(time: datetime | str) -> str:
    """A time as the server reads it, in UTC. A `datetime` without a time zone is refused, since it could mean any."""
    if isinstance(time, str):
        return time
    if time.tzinfo is None:
        raise ValueError(f"{time!r} has no time zone: add tzinfo=datetime.UTC")
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
