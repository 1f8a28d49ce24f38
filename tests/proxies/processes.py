"""Certificates, and the processes of a trial: rasterd and one proxy."""

import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from snippets import HOST, Place

DEADLINE = 60.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def until(what: str, check: Callable[[], bool], process: "Process | None" = None) -> None:
    end = time.monotonic() + DEADLINE
    while not check():
        if process is not None and process.ended():
            raise RuntimeError(f"{what}: it ended\n{process.log()}")
        if time.monotonic() > end:
            raise TimeoutError(f"{what}\n{process.log() if process else ''}")
        time.sleep(0.02)


def make_certificate(folder: Path) -> None:
    """A company's authority, and a certificate of it for the public host."""
    folder.mkdir()
    run = lambda *command: subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: E731
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run(
        "openssl",
        "req",
        "-x509",
        *key,
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-subj",
        "/CN=Company",
        "-days",
        "2",
    )
    run("openssl", "req", *key, "-keyout", "privkey.pem", "-out", "request.pem", "-subj", f"/CN={HOST}")
    (folder / "names").write_text(f"subjectAltName=DNS:{HOST}\n")
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
    run("openssl", "x509", "-req", "-in", "request.pem", "-out", "fullchain.pem", *signed)


class Process:
    """A process that is ended with the trial, and its log."""

    def __init__(
        self, name: str, command: list[str], folder: Path, variables: dict[str, str] | None = None
    ) -> None:
        self.name = name
        self.file = folder / f"{name}.log"
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder)} | (variables or {})
        with self.file.open("wb") as log:
            self.child = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)

    def log(self) -> str:
        return f"{self.name}:\n{self.file.read_text()}"

    def ended(self) -> bool:
        return self.child.poll() is not None

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.child.terminate()
        try:
            self.child.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


class Rasterd(Process):
    """The server, with a snippet as its configuration."""

    def __init__(self, binary: str, place: Place, configuration: str) -> None:
        self.place, self.binary = place, binary
        file = place.folder / "config.toml"
        file.write_text(configuration)
        self.settings = {
            "RASTERD__SERVER__BIND": f"127.0.0.1:{place.back}",
            "RASTERD__DATA__DIR": str(place.folder / "data"),
            "RASTERD__TLS__DIR": str(place.folder / "certs"),
            "RASTERD__FETCH__ALLOW": "127.0.0.0/8",
            # The proxy must keep `Host`.
            "RASTERD__SERVER__ALLOWED_HOSTS": HOST,
        }
        self.flags = [binary, "--config", str(file)]
        super().__init__("rasterd", [*self.flags, "serve"], place.folder, self.settings)
        until("rasterd starts", lambda: "first-key.txt" in self.file.read_text(), self)
        self.first_steps = (place.folder / "data/first-key.txt").read_text()
        self.key = next(
            line.strip() for line in self.first_steps.splitlines() if line.strip().startswith("pk_")
        )

    def events(self) -> str:
        """The audit log, a line of JSON for each event."""
        command = [*self.flags, "audit", "export", "--org", "default"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.place.folder)} | self.settings
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    def arriving_bytes(self) -> int:
        """How much of an upload that is not complete has arrived."""
        sizes = [
            file.stat().st_size for file in (self.place.folder / "data/tmp").rglob("*") if file.is_file()
        ]
        return max(sizes, default=0)
