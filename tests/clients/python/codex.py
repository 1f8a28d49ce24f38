"""Codex: the files that `rasterd snippet` prints, one through the bridge, started as shown. Its app server then connects, and
lists the tools."""

import json
import os
import re
import subprocess
from pathlib import Path

from environment import KEY, expect, report

SETUPS = Path(os.environ["RASTERD_SETUPS"])
HOME = Path(os.environ["HOME"])
CODEX = next(Path.cwd().glob("node_modules/@openai/codex-linux-x64/vendor/*/*/codex"))


def tools(start: str) -> list[str]:
    """The tools that Codex finds, started by this command."""
    command = re.sub(r"\bcodex$", f"exec '{CODEX}' app-server", start)
    environment = {"PATH": f"{HOME}:{os.environ['PATH']}", "HOME": str(HOME), "RASTERD_API_KEY": KEY}
    client = {"clientInfo": {"name": "clients", "version": "1"}}
    with subprocess.Popen(
        ["bash", "-euc", command], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        ask(process, 1, "initialize", client)
        process.stdin.write(json.dumps({"method": "initialized"}) + "\n")
        status = ask(process, 2, "mcpServerStatus/list", {})
        process.stdin.close()
        process.terminate()
    found = {server["name"]: server for server in status["data"]}
    return sorted(found["rasterd"]["tools"])


def ask(process: subprocess.Popen, number: int, method: str, params: dict) -> dict:
    process.stdin.write(json.dumps({"id": number, "method": method, "params": params}) + "\n")
    process.stdin.flush()
    for line in process.stdout:
        message = json.loads(line)
        if message.get("id") == number and "method" not in message:
            expect("result" in message, f"a result of {method}, and not {message}")
            return message["result"]
    raise SystemExit(f"Codex ended before it answered {method}.")


(HOME / ".codex").mkdir(exist_ok=True)
bridge = HOME / "rasterd"
bridge.unlink(missing_ok=True)
bridge.symlink_to(os.environ["RASTERD_BINARY"])
for place in ("snippet", "snippet --stdio"):
    (HOME / ".codex/config.toml").write_text((SETUPS / place / "codex file").read_text())
    start = SETUPS / place / "Start of codex"
    found = tools(start.read_text() if start.exists() else "codex")
    expect("whoami" in found, f"the tools of rasterd, {place}, and not {found}")
version = json.loads(Path("node_modules/@openai/codex/package.json").read_text())["version"]
report(version, "the files of 2 set-ups, one through the bridge, its list of tools")
