"""Every client: where it comes from, and which script drives it.

A script gets what it needs from its environment (`server.Running.environment`), prints `version: …` and `ran: …`,
and ends with anything but 0 when an answer was not what it should be.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import install
from server import Running
from table import Result

HERE = Path(__file__).parent
ENDS_WITHIN_SECONDS = 300


@dataclass(frozen=True)
class Client:
    """One client, a row of the table."""

    name: str
    packages: tuple[str, ...]
    command: Callable[[Path, Path], list[str | Path]]
    """The command line, from the client's folder and the folder of `node`."""
    script: str
    """The script below this folder, which is copied into the client's folder, beside those it imports."""
    npm: bool = False

    def run(self, server: Running, tools: Path, node: Path) -> Result:
        folder = tools / re.sub(r"\W+", "-", self.name)
        path = f"{node}:{os.environ['PATH']}"
        try:
            self.install(folder, path)
            server.at_home(folder)
            ended = subprocess.run(
                self.command(folder, node),
                cwd=folder,
                env={**os.environ, **server.environment(), "PATH": path, "HOME": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=ENDS_WITHIN_SECONDS,
            )
        except (subprocess.SubprocessError, OSError) as error:
            print(error)
            return Result(self.name, "?", "it could not be installed, or did not end", passed=False)
        said = dict(re.findall(r"^(version|ran): (.*)$", ended.stdout, re.MULTILINE))
        passed = ended.returncode == 0 and "ran" in said
        if not passed:
            print(ended.stdout)
        return Result(self.name, said.get("version", "?"), said.get("ran", "it failed before"), passed)

    def install(self, folder: Path, path: str) -> None:
        if self.npm:
            install.npm(folder, list(self.packages), path)
        elif self.packages:
            install.pip(folder, list(self.packages))
        folder.mkdir(parents=True, exist_ok=True)
        for file in (HERE / self.script).parent.iterdir():
            if file.is_file():
                shutil.copy(file, folder)


def shell(name: str, script: str) -> Client:
    return Client(name, (), lambda folder, _: ["bash", folder / script], f"shell/{script}")


def node(name: str, packages: tuple[str, ...], script: str) -> Client:
    command = lambda folder, node: [node / "node", folder / script]
    return Client(name, packages, command, f"javascript/{script}", npm=True)


def npm_shell(name: str, packages: tuple[str, ...], script: str) -> Client:
    return Client(name, packages, lambda folder, _: ["bash", folder / script], f"shell/{script}", npm=True)


def pip_shell(name: str, packages: tuple[str, ...], script: str) -> Client:
    return Client(name, packages, lambda folder, _: ["bash", folder / script], f"shell/{script}")


def python(name: str, packages: tuple[str, ...], script: str) -> Client:
    command = lambda folder, _: [folder / "bin/python", folder / script]
    return Client(name, packages, command, f"python/{script}")


def npm_python(name: str, packages: tuple[str, ...], script: str) -> Client:
    return Client(name, packages, lambda folder, _: [sys.executable, folder / script], f"python/{script}", npm=True)


def bun(name: str, script: str) -> Client:
    command = lambda folder, _: ["node_modules/@oven/bun-linux-x64/bin/bun", folder / script]
    return Client(name, ("bun", "@oven/bun-linux-x64"), command, f"javascript/{script}", npm=True)


def deno(name: str, script: str) -> Client:
    def command(folder: Path, _: Path) -> list[str | Path]:
        # Deno reads the authority of a private network from a variable of its own.
        start = 'DENO_CERT="$RASTERD_CA" exec node_modules/@deno/linux-x64-glibc/deno run --quiet --allow-all "$0"'
        return ["sh", "-c", start, folder / script]

    return Client(name, ("deno", "@deno/linux-x64-glibc"), command, f"javascript/{script}", npm=True)


ALL = [
    shell("curl", "curl.sh"),
    node("fetch of Node", (), "fetch.mjs"),
    bun("fetch of Bun", "fetch.mjs"),
    deno("fetch of Deno", "fetch.mjs"),
    python("urllib of Python", ("pip",), "standard_library.py"),
    python("requests", ("requests",), "with_requests.py"),
    python("httpx", ("httpx",), "with_httpx.py"),
    node("tus-js-client", ("tus-js-client@^4",), "tus.mjs"),
    python("tuspy", ("tuspy", "requests"), "with_tuspy.py"),
    node("MCP TypeScript SDK 1, oldest", ("@modelcontextprotocol/sdk@1.10.0",), "mcp_sdk_1.mjs"),
    node("MCP TypeScript SDK 1, first that checks answers", ("@modelcontextprotocol/sdk@1.11.4",), "mcp_sdk_1.mjs"),
    node("MCP TypeScript SDK 1, middle", ("@modelcontextprotocol/sdk@1.20.0",), "mcp_sdk_1.mjs"),
    node("MCP TypeScript SDK 1, newest", ("@modelcontextprotocol/sdk@^1",), "mcp_sdk_1.mjs"),
    node("MCP TypeScript SDK 2", ("@modelcontextprotocol/client@^2",), "mcp_sdk_2.mjs"),
    python("MCP Python SDK 1, oldest", ("mcp==1.8.0", "pydantic<2.12"), "mcp_sdk_1.py"),
    python("MCP Python SDK 1, first that checks answers", ("mcp==1.10.0", "pydantic<2.12"), "mcp_sdk_1.py"),
    python("MCP Python SDK 1, middle", ("mcp==1.16.0", "pydantic<2.12"), "mcp_sdk_1.py"),
    python("MCP Python SDK 1, newest", ("mcp<2",), "mcp_sdk_1.py"),
    python("MCP Python SDK 2", ("mcp>=2,<3",), "mcp_sdk_2.py"),
    node("bridges, MCP TypeScript SDK 1", ("@modelcontextprotocol/sdk@^1",), "mcp_stdio_1.mjs"),
    node("bridges, MCP TypeScript SDK 2", ("@modelcontextprotocol/client@^2",), "mcp_stdio_2.mjs"),
    python("bridges, MCP Python SDK 1", ("mcp<2",), "mcp_stdio_1.py"),
    python("bridges, MCP Python SDK 2", ("mcp>=2,<3",), "mcp_stdio_2.py"),
    npm_shell("validator of bundles", ("@anthropic-ai/mcpb",), "mcpb.sh"),
    python("FastMCP", ("fastmcp",), "with_fastmcp.py"),
    npm_shell("MCP Inspector, strict", ("@modelcontextprotocol/inspector@^2",), "inspector.sh"),
    python("langchain-mcp-adapters", ("langchain-mcp-adapters",), "with_langchain.py"),
    python("openai-agents", ("openai-agents",), "with_openai_agents.py"),
    python("pydantic-ai", ("pydantic-ai-slim[mcp]",), "with_pydantic_ai.py"),
    python("llama-index-tools-mcp", ("llama-index-tools-mcp",), "with_llama_index.py"),
    node("Vercel AI SDK, oldest", ("@ai-sdk/mcp@1.0.0", "ajv"), "ai_sdk.mjs"),
    node("Vercel AI SDK, newest", ("@ai-sdk/mcp", "ajv"), "ai_sdk.mjs"),
    node("mcp-remote", ("mcp-remote", "@modelcontextprotocol/sdk@^1"), "mcp_remote.mjs"),
    npm_shell(
        "Claude Code", ("@anthropic-ai/claude-code", "@anthropic-ai/claude-code-linux-x64"), "claude_code.sh"
    ),
    npm_shell("Gemini CLI", ("@google/gemini-cli",), "gemini_cli.sh"),
    npm_python("Codex", ("@openai/codex",), "codex.py"),
    npm_shell("opencode", ("opencode-ai", "opencode-linux-x64"), "opencode.sh"),
    node("set-ups of Cursor and VS Code", ("@modelcontextprotocol/sdk@^1",), "editors.mjs"),
    pip_shell("set-ups of terminals", ("requests", "httpx"), "as_shown.sh"),
    npm_shell(
        "openapi-typescript",
        ("openapi-typescript", "openapi-fetch", "typescript@5", "@types/node"),
        "openapi_typescript.sh",
    ),
    npm_shell("@hey-api/openapi-ts", ("@hey-api/openapi-ts", "typescript@5", "@types/node"), "hey_api.sh"),
    python("openapi-python-client", ("openapi-python-client",), "generated_client.py"),
    python("gql", ("gql[aiohttp]",), "with_gql.py"),
    node(
        "toolkit of the hosted product's CMS plugins",
        ("@raster-app/raster-toolkit", "react@19", "react-dom@19", "use-sync-external-store", "immer@10", "jsdom@26"),
        "cms_toolkit.mjs",
    ),
    npm_shell("redocly", ("@redocly/cli",), "redocly.sh"),
    npm_shell("spectral", ("@stoplight/spectral-cli",), "spectral.sh"),
]
