"""What the server prints when it is ready, and what its control endpoint takes and returns."""

from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

Access = Literal["write", "read", "none"]
"""What a key may do in the libraries of its organization."""


class Match(TypedDict, total=False):
    """Which requests a fault concerns: those that fit everything that is named here.

    An operation has the same name on every interface, such as `upload_assets`; `get_file` is a public file.
    """

    operation: str
    keyId: str
    library: str
    share: float


class Answers(TypedDict):
    """Answer with this error; the status is that of the code."""

    code: str
    status: NotRequired[int]


class Waits(TypedDict):
    """Answer later."""

    latencyMs: int


class Cuts(TypedDict):
    """Close the connection without an answer."""

    cut: Literal[True]


class SlowBody(TypedDict):
    """Send the answer's body slowly."""

    slowBodyMs: int


class FullDisk(TypedDict):
    """Behave as on a full disk."""

    fullDisk: Literal[True]


class RevokesKey(TypedDict):
    """Revoke the key of a request as soon as this much of its body has arrived."""

    revokeKeyAfterBytes: int


Effect = Answers | Waits | Cuts | SlowBody | FullDisk | RevokesKey
"""What a fault does."""


class RecordedRequest(TypedDict):
    """A request that the server has received, as its log for tests has it."""

    id: str
    time: str
    method: str
    path: str
    operation: str | None
    organization: str | None
    library: str | None
    keyId: str | None
    status: int | None
    """None when there was no answer."""
    code: str | None
    durationMs: float


@dataclass(frozen=True)
class Library:
    """A library. Paths and tools name it by its slug."""

    id: str
    slug: str
    name: str


@dataclass(frozen=True)
class Keys:
    """Something of each of the three keys of an organization, by their access to its libraries."""

    write: str
    read: str
    none: str

    def of(self, access: Access) -> str:
        """That of the key with this access."""
        return {"write": self.write, "read": self.read, "none": self.none}[access]


@dataclass(frozen=True)
class Owner:
    """A person who can sign in to the web app."""

    email: str
    password: str
