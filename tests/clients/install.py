"""Installs the clients, each into a folder of its own below `target/clients`, once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from server import ROOT

NODE = "node@24"
"""Some of the clients need a newer Node than distributions ship; as a package it comes with npm."""


def tools_folder() -> Path:
    """Where everything is installed."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    folder = target.resolve() / "clients"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def node(folder: Path) -> Path:
    """The folder of the `node` that runs the clients."""
    if not shutil.which("npm"):
        raise SystemExit("These clients come by npm, and npm is not installed (Debian: apt-get install npm).")
    npm(folder / "node", [NODE], os.environ["PATH"])
    binary = folder / "node/node_modules/node/bin/node"
    if not binary.exists():
        # npm may be configured not to run a package's install script.
        package = folder / "node/node_modules/node"
        subprocess.run(["node", "installArchSpecificPackage.js"], cwd=package, check=True)
    return binary.parent


def npm(folder: Path, packages: list[str], path: str) -> None:
    """Installs packages of npm, unless the same ones are there."""
    if is_there(folder, packages):
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"private": true, "type": "module"}\n')
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", *packages]
    subprocess.run(command, cwd=folder, check=True, env={**os.environ, "PATH": path}, stdout=sys.stderr)
    mark(folder, packages)


def pip(folder: Path, packages: list[str]) -> None:
    """Installs packages of PyPI into an environment of their own, unless the same ones are there."""
    if is_there(folder, packages):
        return
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    command = [folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    subprocess.run(command, check=True, stdout=sys.stderr)
    mark(folder, packages)


def is_there(folder: Path, packages: list[str]) -> bool:
    installed = folder / "installed"
    return installed.exists() and installed.read_text() == "\n".join(packages)


def mark(folder: Path, packages: list[str]) -> None:
    (folder / "installed").write_text("\n".join(packages))
