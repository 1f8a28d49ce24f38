"""The snippets of the guide, with the paths and ports of a trial."""

import re
from dataclasses import dataclass
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "src/guide/behind-a-proxy.md"
HOST = "assets.example.org"


@dataclass(frozen=True)
class Place:
    """Where a trial has its files and ports."""

    folder: Path
    front: int
    back: int

    @property
    def socket(self) -> Path:
        return self.folder / "http.sock"

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.front}"

    def replacements(self) -> list[tuple[str, str]]:
        return [
            ("/etc/ssl/assets.example.org/", f"{self.folder}/tls/"),
            ("/var/lib/rasterd/certs/", f"{self.folder}/certs/"),
            ("/etc/traefik/", f"{self.folder}/"),
            ("unix//run/rasterd/http.sock", f"unix/{self.socket}"),
            ("/run/rasterd/http.sock", str(self.socket)),
            ("127.0.0.1:8443", f"127.0.0.1:{self.back}"),
            ("listen 443", f"listen 127.0.0.1:{self.front}"),
            ('":443"', f'"127.0.0.1:{self.front}"'),
            (f"https://{HOST}", self.url),
        ]


def read_all() -> dict[str, str]:
    """Each snippet by the comment on its first line."""
    blocks = re.findall(r"^```\w+\n# ([^\n]+)\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    return dict(blocks)


def placed(text: str, place: Place) -> str:
    for printed, tried in place.replacements():
        text = text.replace(printed, tried)
    return text


def with_line(text: str, line: str, beginning: str) -> str:
    """A snippet in which one line is another."""
    changed, count = re.subn(rf"^\s*{re.escape(beginning)}.*\n", lambda _: line, text, flags=re.M)
    assert count == 1, f"{count} lines begin with {beginning}"
    return changed


def with_block(text: str, block: str, beginning: str) -> str:
    """A snippet in which one block, up to the brace in its first column, is another."""
    changed, count = re.subn(rf"^{re.escape(beginning)}.*?^}}\n", lambda _: block, text, flags=re.M | re.S)
    assert count == 1, f"{count} blocks begin with {beginning}"
    return changed
