"""The digital-asset server rasterd, with its binary inside. `rasterd.testing` starts one for tests."""

import os
from pathlib import Path

__all__ = ["binary"]


def binary() -> Path:
    """The server's program: the one in the variable RASTERD_BINARY, or the one in this package."""
    if named := os.environ.get("RASTERD_BINARY"):
        return Path(named)
    return Path(__file__).parent / "bin" / "rasterd"
