"""Writes each block of a page that begins with the name of a file into that file: `printed.py FOLDER PAGE...`."""

import re
import sys
from pathlib import Path

BLOCK = re.compile(r"^```\w+\n((?:#|//) (\S+)\n.*?)^```$", re.MULTILINE | re.DOTALL)


def main() -> None:
    """Writes the files of all pages, and fails when a page has none."""
    folder = Path(sys.argv[1])
    for page in sys.argv[2:]:
        blocks = BLOCK.findall(Path(page).read_text())
        if not blocks:
            raise SystemExit(f"{page} has no block that begins with the name of a file.")
        for text, name in blocks:
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)


main()
