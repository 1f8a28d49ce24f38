"""Writes the client setups of each place that shows them into files, for the scripts that type them."""

import re
from pathlib import Path

from webapp import Owner

KEY_VARIABLE = "The key as a variable"
"""What the Connect page says to type first, since it can't show the key itself."""


def write(folder: Path, printed: str, owner: Owner, readme: str) -> None:
    """Writes `PLACE/CLIENT`, and `PLACE/Start of CLIENT` where a client must be started in a certain way."""
    places = {
        "first start": of_terminal(printed),
        "Connect": of_page(owner.connect()),
        "new key": of_page(owner.new_key()),
        "README": of_readme(readme),
    }
    for place, texts in places.items():
        (folder / place).mkdir(parents=True)
        for name, text in texts.items():
            (folder / place / name).write_text(text)


def of_terminal(printed: str) -> dict[str, str]:
    """A line with the client and where to paste, and between empty lines what to paste."""
    texts = {}
    for client, place, text in re.findall(r"^(\w[^:\n]*): (.+)\n\n((?:.+\n)+)", printed, re.MULTILINE):
        texts[client] = text.rstrip("\n")
        if "start it by: " in place:
            texts[f"Start of {client}"] = place.split("start it by: ")[1]
    return texts


def of_page(copied: dict[str, str]) -> dict[str, str]:
    return {label.removeprefix("Set-up for "): text for label, text in copied.items()}


def of_readme(readme: str) -> dict[str, str]:
    """The lines of its curl commands, and the commands in its table of clients."""
    block = next(block for block in re.findall(r"```console\n(.*?)```", readme, re.DOTALL) if "curl" in block)
    commands = re.sub(r"^\$ ", "", block, flags=re.MULTILINE)
    rows = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", readme, re.MULTILINE))
    variables = commands.splitlines()[0]
    return {
        "curl": commands,
        "Claude Code": f"{variables} NODE_EXTRA_CA_CERTS=certs/ca.pem\n{code(rows['Claude Code'])}",
        "Python": code(rows["Python, and others that use OpenSSL"]),
    }


def code(cell: str) -> str:
    """The first code in a cell of a table."""
    return cell.split("`")[1]
