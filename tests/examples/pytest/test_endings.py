"""No server outlives its tests, and a start that fails says why."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rasterd.testing import Server, ServerError

STARTS_ONE = """
import json, sys, time
from rasterd.testing import Server
server = Server()
print(json.dumps(server.connection), flush=True)
{then}
"""


def started(then: str) -> tuple[subprocess.Popen[str], int, Path]:
    """A program with a server: its process, the server's, and a folder of the server."""
    program = subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE.format(then=then)], stdout=subprocess.PIPE, text=True
    )
    assert program.stdout
    connection = json.loads(program.stdout.readline())
    return program, connection["pid"], Path(connection["caFile"]).parent


def is_gone(pid: int, folder: Path) -> bool:
    """Whether the server and its folder are gone, soon."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if not Path(f"/proc/{pid}").exists() and not folder.exists():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("then", ["", "sys.exit(3)", "1 / 0", "time.sleep(60)"])
def test_the_server_ends_with_its_program(then: str) -> None:
    program, pid, folder = started(then)
    if "sleep" in then:
        program.send_signal(signal.SIGKILL)
    program.wait()
    assert is_gone(pid, folder)


def test_a_thread_that_ends_leaves_its_server_running() -> None:
    then = (
        "import threading; made = []; it = threading.Thread(target=lambda: made.append(Server()));"
        "it.start(); it.join(); time.sleep(1); made[0].requests(); print('answered', flush=True)"
    )
    program, _, _ = started(then)
    assert program.stdout and program.stdout.read() == "answered\n"
    assert program.wait() == 0


def test_stop_removes_everything() -> None:
    server = Server()
    folder = server.ca_file.parent
    server.stop()
    server.stop()
    assert is_gone(server.pid, folder)
    with pytest.raises(ServerError, match=r"(?s)got no answer.*ended with exit code 0"):
        server.requests()


def test_a_wrong_option_is_told_with_the_servers_own_words() -> None:
    with pytest.raises(ServerError, match=r"(?s)ended before it was ready.*exit code.*--no-such-option"):
        Server(options=["--no-such-option"])


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (b"\x7fELF\x02\x01\x01", 0o755, "is for another kind of machine"),
        (b"#!/no/such/interpreter\n", 0o755, "needs a loader that is not here"),
        (b"#!/bin/sh\n", 0o644, "may not be executed"),
        (b"#!/bin/sh\necho hello\nsleep 5\n", 0o755, "something else than a server's addresses"),
        (b"#!/bin/sh\necho no room >&2\nexit 7\n", 0o755, "(?s)exit code 7.*no room"),
        (b"#!/bin/sh\nsleep 5\n", 0o755, "was not ready within 0.5 seconds"),
        (None, 0o755, "There is no program at"),
    ],
)
def test_a_start_that_fails_says_why(tmp_path: Path, content: bytes | None, mode: int, reason: str) -> None:
    program = tmp_path / "rasterd"
    if content is not None:
        program.write_bytes(content)
        program.chmod(mode)
    with pytest.raises(ServerError, match=reason):
        Server(binary=program, ready_within_seconds=0.5)
