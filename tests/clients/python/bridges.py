"""Which bridges there are, as commands that a client starts."""

import os
import shutil
from pathlib import Path

from environment import KEY, URL

ENVIRONMENT = {"PATH": os.environ["PATH"], "RASTERD_API_KEY": KEY}
BRIDGES = (
    (os.environ["RASTERD_BINARY"], ["mcp", "--url", URL, "--ca", os.environ["RASTERD_CA"]]),
    (shutil.which("node"), [str(Path(os.environ["RASTERD_BUNDLE"]).parent / "bundle/server/bridge.mjs")]),
)
