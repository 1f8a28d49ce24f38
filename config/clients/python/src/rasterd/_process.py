"""The process of a server: how it starts, what it said, how it ends."""

import atexit
import errno
import os
import platform
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO

ENDS_WITHIN_SECONDS = 10
PIPES_CLOSE_WITHIN_SECONDS = 1
LINES_KEPT = 200
LINES_SHOWN = 20


class ServerError(Exception):
    """The server did not start, ended too early, or refused what a test asked of it."""


class Process:
    """A server's process. It ends with `stop`, with this program, or when this program is killed."""

    def __init__(self, program: Path, arguments: Sequence[str]) -> None:
        """Starts it, in a group of its own: Ctrl-C then reaches the tests, which stop it after their last request."""
        self.program = program
        self._said: deque[str] = deque(maxlen=LINES_KEPT)
        self._printed: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._starter = os.getpid()
        try:
            self._child = subprocess.Popen(
                [program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise ServerError(cannot_run(program, error)) from error
        self._readers = [
            threading.Thread(target=self._read_output, args=(self._child.stdout,), daemon=True),
            threading.Thread(target=self._read_log, args=(self._child.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        atexit.register(self.stop)

    def first_line(self, within_seconds: float) -> str:
        """The line that the server prints when it is ready."""
        try:
            line = self._printed.get(timeout=within_seconds)
        except queue.Empty:
            self.stop()
            raise ServerError(
                f"The server was not ready within {within_seconds:g} seconds. {self.last_words()}"
            ) from None
        if not line:
            self.stop()
            raise ServerError(f"The server ended before it was ready. {self.last_words()}")
        return line

    def stop(self) -> None:
        """Ends it, at once when it does not end by itself. Again, or in a forked copy, it does nothing."""
        if os.getpid() != self._starter:
            return
        atexit.unregister(self.stop)
        self._child.terminate()
        try:
            self._child.wait(ENDS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        # Something that it started may hold its pipes open.
        for reader in self._readers:
            reader.join(PIPES_CLOSE_WITHIN_SECONDS)

    def log(self) -> list[str]:
        """The last lines of the server's log."""
        return list(self._said)

    def last_words(self) -> str:
        """How it ended, and the end of its log, for a message."""
        code = self._child.poll()
        ended = "It still runs" if code is None else f"It ended with {ending(code)}"
        lines = self.log()[-LINES_SHOWN:]
        if not lines:
            return f"{ended} and printed nothing: {self.program}"
        return f"{ended}: {self.program}\nThe last lines of its log:\n  " + "\n  ".join(lines)

    def _read_output(self, output: IO[str]) -> None:
        with output:
            self._printed.put(output.readline())
            for _ in output:
                pass
        self._printed.put("")

    def _read_log(self, log: IO[str]) -> None:
        with log:
            for line in log:
                self._said.append(line.rstrip("\n"))


def ending(code: int) -> str:
    """An exit code or a signal in words."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def cannot_run(program: Path, error: OSError) -> str:
    """Why a program can't be run, and what to do."""
    other = "Install the package for this machine, or name another binary in RASTERD_BINARY."
    machine = f"{platform.system()} on {platform.machine()}"
    if error.errno == errno.ENOEXEC:
        return f"{program} is for another kind of machine than this one ({machine}). {other}"
    if error.errno == errno.ENOENT and program.exists():
        return f"{program} needs a loader that is not here: it is for Linux with glibc, this is {machine}. {other}"
    if error.errno == errno.ENOENT:
        return f"There is no program at {program}. {other}"
    if error.errno == errno.EACCES:
        return f"{program} may not be executed. Try: chmod +x {program}"
    return f"{program} can't be run: {error.strerror}. {other}"
