"""A person in the web app, who becomes its owner with the printed link and copies what its pages show."""

import html.parser
import http.cookiejar
import re
import ssl
import urllib.parse
import urllib.request
from pathlib import Path

ORGANIZATION, LIBRARY = "default", "library"
"""What the first start creates."""
SETTINGS = f"/app/{ORGANIZATION}/settings"
AT_HOME = ("rasterd-authority.crt", "rasterd-authorities.pem")


class Owner:
    """The owner, signed in. Does only what a person could do with a browser."""

    def __init__(self, url: str, authority: Path, link: str):
        self.url = url
        self.browser = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=authority)),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )
        link = link.removeprefix(url)
        owner = {"name": "Ada", "email": "ada@example.org", "password": "a long enough password"}
        self.sent(link, self.page(link), owner)

    def page(self, path: str) -> str:
        return self.file(path).decode()

    def file(self, path: str) -> bytes:
        with self.browser.open(self.url + path) as answer:
            return answer.read()

    def sent(self, path: str, page: str, fields: dict[str, str]) -> str:
        """The page after sending the form of `page`."""
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
        body = urllib.parse.urlencode({**hidden, **fields}).encode()
        request = urllib.request.Request(self.url + path, body, {"Origin": self.url})
        with self.browser.open(request) as answer:
            return answer.read().decode()

    def connect(self) -> dict[str, str]:
        """What the Connect page shows to copy, by its label."""
        return copied(self.page(f"{SETTINGS}/connect"))

    def new_key(self) -> dict[str, str]:
        """What the page of a new key shows to copy, by its label."""
        fields = {"name": "From the web app", "expiry": "never", f"grant.{LIBRARY}": "write"}
        return copied(self.sent(f"{SETTINGS}/keys", self.page(f"{SETTINGS}/keys/new"), fields))

    def downloads(self) -> dict[str, bytes]:
        """What the page says to download into the home folder, by its name there."""
        return {name: self.file(f"{SETTINGS}/connect/{name}") for name in AT_HOME}


def copied(page: str) -> dict[str, str]:
    codes = Codes()
    codes.feed(page)
    return codes.found


class Codes(html.parser.HTMLParser):
    """Collects the texts that a page offers to copy."""

    def __init__(self):
        super().__init__()
        self.found: dict[str, str] = {}
        self.label: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "pre":
            self.label = dict(attributes).get("aria-label")

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self.label = None

    def handle_data(self, data: str) -> None:
        if self.label:
            self.found[self.label] = self.found.get(self.label, "") + data
