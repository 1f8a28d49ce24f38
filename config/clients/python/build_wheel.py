#!/usr/bin/env python3
"""Builds the wheel, with the standard library alone: `build_wheel.py BINARY FOLDER`, or through a PEP 517 tool.

The same sources and binary give the same bytes. The wheel's name tells the oldest glibc that the binary runs with.
"""

import base64
import hashlib
import os
import re
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# A PEP 517 tool imports this file with only its folder in the path, too.
import elf

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
DATE = (1980, 1, 1, 0, 0, 0)
"""The time of all files, so that two builds are the same: the oldest one that a zip file can hold."""
BINARY = "rasterd/bin/rasterd"
OLDEST_LIBSTDCXX = {(3, 4, 19): (2, 17), (3, 4, 24): (2, 28), (3, 4, 29): (2, 34), (3, 4, 30): (2, 35)}
"""Up to which symbols of libstdc++ there are on systems with each glibc."""
ALLOWED = re.compile(r"(libc|libm|libdl|libpthread|librt|libgcc_s|libstdc\+\+|ld-linux-\S+)\.so\.\d+")
"""The libraries that every such system has."""

Settings = Mapping[str, Any] | None


def build_wheel(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """The hook of PEP 517. The binary is the one in RASTERD_BINARY, or the one that `make release` builds."""
    del config_settings, metadata_directory
    binary = Path(os.environ.get("RASTERD_BINARY", ROOT / "target/packages/rasterd"))
    return build(binary, Path(wheel_directory)).name


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """The other hook of PEP 517."""
    del sdist_directory, config_settings
    raise SystemExit(
        "There is no source distribution, since the binary is not built from here: build a wheel."
    )


def build(binary: Path, folder: Path) -> Path:
    """Writes the wheel of this binary into a folder."""
    if not binary.is_file():
        raise SystemExit(
            f"There is no binary at {binary}: `make release` builds it, RASTERD_BINARY names another."
        )
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]
    tag = f"py3-none-{platform_tag(binary)}"
    info = f"rasterd-{version}.dist-info"
    files = {
        **{str(file.relative_to(HERE / "src")): file.read_bytes() for file in sources()},
        BINARY: binary.read_bytes(),
        **{
            f"{info}/licenses/{name}": (ROOT / name).read_bytes()
            for name in ("LICENSE-MIT", "LICENSE-APACHE")
        },
        f"{info}/METADATA": metadata(project, version).encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: rasterd\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
        f"{info}/entry_points.txt": entry_points(project).encode(),
    }
    files[f"{info}/RECORD"] = record(files, f"{info}/RECORD").encode()
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"rasterd-{version}-{tag}.whl"
    write(wheel, files)
    return wheel


def platform_tag(binary: Path) -> str:
    """The oldest system that has every symbol which the binary needs, as PEP 600 writes it."""
    try:
        program = elf.read(binary)
    except ValueError as error:
        raise SystemExit(f"{error}. Wheels are built for Linux with glibc.") from error
    foreign = [name for name in program.libraries if not ALLOWED.fullmatch(name)]
    if foreign:
        raise SystemExit(
            f"{binary} needs {', '.join(foreign)}, which not every system has: link it statically."
        )
    oldest = program.newest("GLIBC")
    if not oldest:
        raise SystemExit(f"{binary} needs no glibc. Wheels are built for Linux with glibc.")
    oldest = max((2, 17), oldest[:2], glibc_with(program.newest("GLIBCXX")))
    return f"manylinux_{oldest[0]}_{oldest[1]}_{program.machine}"


def glibc_with(libstdcxx: tuple[int, ...]) -> tuple[int, ...]:
    """The glibc of systems whose libstdc++ has these symbols."""
    for newest, glibc in OLDEST_LIBSTDCXX.items():
        if libstdcxx <= newest:
            return glibc
    raise SystemExit(f"The binary needs libstdc++ {libstdcxx}, which is not known here.")


def sources() -> list[Path]:
    """The package's own files."""
    return [file for file in (HERE / "src").rglob("*") if file.suffix == ".py" or file.name == "py.typed"]


def metadata(project: dict[str, Any], version: str) -> str:
    """The file METADATA: headers, then the readme."""
    return "\n".join(
        [
            "Metadata-Version: 2.4",
            f"Name: {project['name']}",
            f"Version: {version}",
            f"Summary: {project['description']}",
            f"License-Expression: {project['license']}",
            "License-File: LICENSE-MIT",
            "License-File: LICENSE-APACHE",
            f"Requires-Python: {project['requires-python']}",
            "Classifier: Framework :: Pytest",
            "Classifier: Operating System :: POSIX :: Linux",
            "Classifier: Typing :: Typed",
            "Description-Content-Type: text/markdown",
            "",
            (HERE / project["readme"]).read_text(),
        ]
    )


def entry_points(project: dict[str, Any]) -> str:
    """The commands and plugins, as installers read them."""
    groups = {"console_scripts": project["scripts"], **project["entry-points"]}
    sections = [
        "\n".join([f"[{group}]", *(f"{name} = {target}" for name, target in entries.items()), ""])
        for group, entries in groups.items()
    ]
    return "\n".join(sections)


def record(files: dict[str, bytes], itself: str) -> str:
    """The hash and size of each file."""
    lines = [f"{name},sha256={digest(content)},{len(content)}" for name, content in sorted(files.items())]
    return "\n".join([*lines, f"{itself},,", ""])


def digest(content: bytes) -> str:
    """A hash as RECORD writes it."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def write(wheel: Path, files: dict[str, bytes]) -> None:
    """Writes the zip file, and puts it in place only when it is whole. The metadata comes last, as is usual."""
    half = wheel.with_suffix(".part")
    with zipfile.ZipFile(half, "w") as archive:
        for name in sorted(files, key=lambda name: (".dist-info/" in name, name)):
            entry = zipfile.ZipInfo(name, DATE)
            entry.create_system = 3  # Unix, so that the mode counts
            entry.external_attr = (0o100755 if name == BINARY else 0o100644) << 16
            archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED, compresslevel=9)
    half.replace(wheel)


def main() -> None:
    """Builds the wheel and says what it is."""
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    wheel = build(Path(sys.argv[1]), Path(sys.argv[2]))
    print(f"{wheel} ({wheel.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
