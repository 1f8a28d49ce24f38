"""The server that the clients talk to: the real binary, on a temporary folder, as a person starts it."""

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pictures
import setups
from webapp import LIBRARY, ORGANIZATION, SETTINGS, Owner

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "tests/fixtures/wine.jpg"
READY_WITHIN_SECONDS = 60
OPENSSL = "Python and other programs that use OpenSSL"
TRUST = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@dataclass
class Running:
    """A server that is ready, and what a client needs to know about it."""

    url: str
    key: str
    authority: Path
    setups: Path
    """A folder with all client setups, see `setups`."""
    downloads: dict[str, bytes]
    """The files in the home folder of a person who follows the web app."""
    picture_url: str
    binary: Path
    bundle: Path
    """The bundle for desktop clients, and beside it a folder with what is in it."""

    def environment(self) -> dict[str, str]:
        """The variables that every client's script reads."""
        return {
            "RASTERD_URL": self.url,
            "RASTERD_API_KEY": self.key,
            "RASTERD_CA": str(self.authority),
            "RASTERD_ORGANIZATION": ORGANIZATION,
            "RASTERD_LIBRARY": LIBRARY,
            "RASTERD_PICTURE": str(PICTURE),
            "RASTERD_PICTURE_URL": self.picture_url,
            "RASTERD_SETUPS": str(self.setups),
            "RASTERD_BINARY": str(self.binary),
            "RASTERD_BUNDLE": str(self.bundle),
            **self.trust(),
        }

    def trust(self) -> dict[str, str]:
        """The variables that the first start prints for clients that have to trust the authority."""
        printed = self.setups / "first start"
        texts = [(printed / client).read_text() for client in ("Claude Code", OPENSSL)]
        exports = "\n".join(line for text in texts for line in text.splitlines() if line.startswith("export "))
        command = ["env", "-i", "/bin/sh", "-euc", f"{exports}\nexec /usr/bin/env -0"]
        variables = subprocess.check_output(command, text=True).rstrip("\0").split("\0")
        return {name: value for name, value in (v.split("=", 1) for v in variables) if name in TRUST}

    def at_home(self, folder: Path) -> None:
        """Copies the files of a home folder and of a checkout into a client's folder."""
        for name, content in self.downloads.items():
            (folder / name).write_bytes(content)
        shutil.copy(PICTURE, folder / "photo.jpg")
        certificates = folder / "certs"
        certificates.unlink(missing_ok=True)
        certificates.symlink_to(self.authority.parent)


@contextlib.contextmanager
def started() -> Iterator[Running]:
    """A server, stopped and removed afterwards. It prints to a terminal, so that it shows what a person pastes."""
    binary = built()
    with (
        tempfile.TemporaryDirectory(prefix="rasterd-clients-") as folder,
        pictures.served(PICTURE) as picture_url,
    ):
        home = Path(folder)
        ours, theirs = pty.openpty()
        options = ["--bind", "127.0.0.1:0", "--set", f"data.dir={home}/data", "--set", "fetch.allow=127.0.0.1/32"]
        process = subprocess.Popen(
            [binary, "serve", *options],
            cwd=home,
            # As `make run` does.
            env={**os.environ, "RASTERD__TLS__DIR": "certs"},
            stdout=theirs,
            stderr=(home / "log").open("w"),
            stdin=subprocess.DEVNULL,
        )
        os.close(theirs)
        try:
            yield running(binary, ready(process, ours, home), home, picture_url)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            os.close(ours)


def built() -> Path:
    """The binary: the one in the variable RASTERD, or a new build."""
    if given := os.environ.get("RASTERD"):
        return Path(given)
    cargo = os.environ.get("CARGO", "cargo")
    subprocess.run([cargo, "build", "--quiet", "--bin", "rasterd"], cwd=ROOT, check=True)
    metadata = subprocess.check_output([cargo, "metadata", "--format-version", "1", "--no-deps"], cwd=ROOT)
    return Path(json.loads(metadata)["target_directory"]) / "debug/rasterd"


def ready(process: subprocess.Popen, terminal: int, home: Path) -> str:
    """Waits until the server has printed its addresses, and returns that."""
    said: list[str] = []
    threading.Thread(target=read, args=(terminal, said), daemon=True).start()
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        printed = "".join(said).replace("\r\n", "\n")
        if "SSL_CERT_FILE=" in printed and "rasterd snippet" in printed and printed.endswith("\n\n"):
            return printed
        time.sleep(0.05)
    raise SystemExit(f"The server is not ready. It said:\n{''.join(said)}\n{(home / 'log').read_text()}")


def running(binary: Path, printed: str, home: Path, picture_url: str) -> Running:
    """Reads the server's output, what its web app shows after opening the link, and what its commands print."""
    url, key = found(r"^ *Server +(\S+)", printed), found(r"^ *(pk_\w+)", printed)
    authority = Path(found(r"^ *Authority +(\S+)", printed))
    owner = Owner(url, authority, found(r"^ *(https://\S+/app/welcome/\S+)", printed))
    readme = (ROOT / "README.md").read_text().replace("https://localhost:8443", url).replace("pk_…", key)
    options = ["--set", f"data.dir={home}/data", "--set", f"tls.dir={home}/certs", "--set", f"server.public_url={url}"]
    setups.write(home / "setups", printed, owner, readme, [binary, *options, "snippet"])
    bundle = home / "rasterd.mcpb"
    subprocess.run([binary, *options, "bundle", "--output", bundle], check=True, capture_output=True)
    if bundle.read_bytes() != owner.file(f"{SETTINGS}/connect/rasterd.mcpb"):
        raise SystemExit("The web app and `rasterd bundle` give different bundles.")
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(home / "bundle")
    return Running(url, key, authority, home / "setups", owner.downloads(), picture_url, binary, bundle)


def read(terminal: int, said: list[str]) -> None:
    """Reads the server's output until it closes the terminal."""
    with contextlib.suppress(OSError):
        while text := os.read(terminal, 4096):
            said.append(text.decode())


def found(pattern: str, text: str) -> str:
    """The first group of a pattern that must occur."""
    match = re.search(pattern, text, re.MULTILINE)
    if not match:
        raise SystemExit(f"The server did not print {pattern!r}:\n{text}")
    return match.group(1)
