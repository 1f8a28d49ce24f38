"""Reads from a Linux program for which machines it is. Nothing else in the standard library does."""

import re
import struct
from dataclasses import dataclass
from pathlib import Path

MACHINES = {62: "x86_64", 183: "aarch64"}
DYNAMIC, VERSIONS_NEEDED = 6, 0x6FFFFFFE
"""The sections with the libraries that a program needs, and with the versions of their symbols."""
LIBRARY = 1
"""The entry of the first of them that names a library."""


@dataclass(frozen=True)
class Program:
    """What a program needs."""

    machine: str
    libraries: list[str]
    symbols: list[str]
    """The versions of its libraries' symbols, such as `GLIBC_2.34`."""

    def newest(self, kind: str) -> tuple[int, ...]:
        """The newest version of one kind, such as `GLIBC`; empty when it needs none."""
        found = (re.fullmatch(rf"{kind}_(\d+(?:\.\d+)*)", name) for name in self.symbols)
        return max((tuple(map(int, match[1].split("."))) for match in found if match), default=())


@dataclass(frozen=True)
class Section:
    """A part of a program's file."""

    kind: int
    offset: int
    size: int
    link: int
    """The number of the section with its texts."""
    count: int

    def of(self, content: bytes) -> bytes:
        """Its bytes."""
        return content[self.offset : self.offset + self.size]


def read(path: Path) -> Program:
    """Reads a program. Raises `ValueError` when it is not one for a 64-bit Linux that is known here."""
    content = path.read_bytes()
    if content[:6] != b"\x7fELF\x02\x01":
        raise ValueError(f"{path} is not a program for a 64-bit Linux")
    (machine,) = struct.unpack_from("<H", content, 18)
    if machine not in MACHINES:
        raise ValueError(f"{path} is for a processor that is not known here: number {machine} of ELF")
    libraries: list[str] = []
    symbols: list[str] = []
    sections = section_headers(content)
    for section in sections:
        strings = sections[section.link]
        if section.kind == DYNAMIC:
            libraries = libraries_in(section.of(content), strings.of(content))
        elif section.kind == VERSIONS_NEEDED:
            symbols = symbols_in(section.of(content), strings.of(content), section.count)
    return Program(MACHINES[machine], libraries, symbols)


def section_headers(content: bytes) -> list[Section]:
    """All sections, in their order."""
    (start,) = struct.unpack_from("<Q", content, 40)
    size, count = struct.unpack_from("<HH", content, 58)
    headers = [struct.unpack_from("<IIQQQQIIQQ", content, start + number * size) for number in range(count)]
    return [Section(header[1], header[4], header[5], header[6], header[7]) for header in headers]


def libraries_in(section: bytes, strings: bytes) -> list[str]:
    """The libraries that the section names."""
    return [text(strings, value) for tag, value in struct.iter_unpack("<qQ", section) if tag == LIBRARY]


def symbols_in(section: bytes, strings: bytes, count: int) -> list[str]:
    """Walks the list of libraries, and below each the list of its versions."""
    found, at = [], 0
    for _ in range(count):
        _, versions, _, first, following = struct.unpack_from("<HHIII", section, at)
        entry = at + first
        for _ in range(versions):
            _, _, _, name, step = struct.unpack_from("<IHHII", section, entry)
            found.append(text(strings, name))
            entry += step
        at += following
    return found


def text(strings: bytes, at: int) -> str:
    """The text that starts there and ends with a zero."""
    return strings[at : strings.index(b"\0", at)].decode()
