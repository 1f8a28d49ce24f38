"""Writes the client setups of each place that shows them into files, for the scripts that type them."""

import re
import subprocess
from pathlib import Path

from webapp import Owner

KEY_VARIABLE = "The key as a variable"
"""What the Connect page says to type first, since it can't show the key itself."""


def write(folder: Path, printed: str, owner: Owner, readme: str, snippet: list[str | Path]) -> None:
    """Writes `PLACE/CLIENT`, and `PLACE/Start of CLIENT` where a client must be started in a certain way. `snippet` is the
    command that prints setups."""
    places = {
        "first start": of_terminal(printed),
        "Connect": of_page(owner.connect()),
        "new key": of_page(owner.new_key()),
        "README": {"curl": of_readme(readme)},
        "snippet": of_command(snippet),
        "snippet --stdio": of_command([*snippet, "--stdio"]),
    }
    for place, texts in places.items():
        (folder / place).mkdir(parents=True)
        for name, text in texts.items():
            (folder / place / name).write_text(text)


def of_terminal(printed: str) -> dict[str, str]:
    """A line with the client and what to do, between empty lines what to paste, and perhaps how to start the client."""
    texts = {}
    pattern = r"^(\w[^.\n]*)\. Paste this in .+:\n\n((?:.+\n)+)(?:\nThen start it with: (.+)\n)?"
    for client, text, start in re.findall(pattern, printed, re.MULTILINE):
        texts[client] = text.rstrip("\n")
        if start:
            texts[f"Start of {client}"] = start
    return texts


def of_page(copied: dict[str, str]) -> dict[str, str]:
    """The first way of each client, since a page gives links and files in another way."""
    texts: dict[str, str] = {}
    for label, text in copied.items():
        name = re.sub(r"^(Command|Configuration) for ", "", label)
        texts.setdefault(name.replace("Start command for ", "Start of "), text)
    return texts


def of_readme(readme: str) -> str:
    """The lines of its curl commands."""
    block = next(block for block in re.findall(r"```console\n(.*?)```", readme, re.DOTALL) if "curl" in block)
    return re.sub(r"^\$ ", "", block, flags=re.MULTILINE)


def of_command(snippet: list[str | Path]) -> dict[str, str]:
    """`CLIENT WAY`, and `Start of CLIENT`, of each client that the command lists."""
    texts = {}
    for line in subprocess.check_output(snippet, text=True).splitlines()[1:]:
        client, ways = line.split()[0], re.findall(r"\b(?:command|file|link|bundle)\b", line.split("  ")[-1])
        for way in ways:
            command = [*snippet, client, "--how", way]
            ended = subprocess.run(command, text=True, check=True, capture_output=True)
            texts[f"{client} {way}"] = ended.stdout.rstrip("\n")
            if start := re.search(r"^Then start it with: (.+)$", ended.stderr, re.MULTILINE):
                texts[f"Start of {client}"] = start[1]
    return texts

