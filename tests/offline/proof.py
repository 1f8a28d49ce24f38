"""Does rasterd's main work in this network namespace, which has only a loopback interface, and reads what it did with the network.

Prints a line for each step, writes a summary, and exits with 1 when something called out or did not work. Uses only Python's own
library, and strace.
"""

import base64
import http.client
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse

from trace import Trace

PROGRAM, OUT = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures"
STRACE = ["strace", "-f", "-qq", "-s", "128", "-e", "trace=%network,io_uring_setup", "-o"]
DEADLINE = 120
LIBRARY = "/organizations/default/libraries/library"
EMAIL, PASSWORD = "ada@example.org", "q7VxPm2Zk9wRt4LwHs"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><image href="http://192.0.2.1/a.png"/><rect width="20" height="10"/></svg>'
FORMATS = {
    "wine.jpg": None,
    "seeding.png": None,
    "umang.webp": None,
    "avif_grid.avif": None,
    "tiff/group3.tif": None,
    "card.heic": None,
    "drawing.svg": SVG,
}
TOOLS = {"heic": ["heif-dec", "heif-convert"], "video": ["ffmpeg"], "pdf": ["pdftoppm"]}
lines, failures = [], []


def say(text):
    lines.append(text)
    print(text, flush=True)


def check(name, holds, detail=""):
    say(f"  {'holds' if holds else 'FAILS'}: {name}" + ("" if holds else f" ({str(detail)[:500]})"))
    if not holds:
        failures.append(name)


def wait(condition):
    until = time.monotonic() + DEADLINE
    while not (found := condition()):
        if time.monotonic() > until:
            raise SystemExit("timed out")
        time.sleep(0.05)
    return found


def first_tool(names):
    """Where one of these programs is installed."""
    for name in names:
        for folder in ("/usr/bin", "/usr/local/bin"):
            if os.access(f"{folder}/{name}", os.X_OK):
                return f"{folder}/{name}"
    return None


class Round:
    """A server with its data, under strace, and the commands that are run on it."""

    def __init__(self, name, folder, settings):
        self.name, self.folder, self.traces = name, folder, []
        tools = {kind: first_tool(names) for kind, names in TOOLS.items()}
        settings = settings + [f"media.{kind}_tool={path}" for kind, path in tools.items() if path]
        self.settings = [part for setting in settings for part in ("--set", setting)]
        self.environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder)}
        self.data = folder / "data"
        self.log = open(OUT / f"{name}-server.log", "wb")
        command = [*self.traced("server"), "serve", "--data-dir", str(self.data), "--bind", "127.0.0.1:8443", *self.settings]
        self.strace = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.log, env=self.environment, cwd=folder, text=True
        )
        for line in self.strace.stdout:
            if re.search(r"Server\s+https://", line):
                break
        else:
            raise SystemExit(f"the server does not start; see {self.log.name}")
        self.trust = ssl.create_default_context(cafile=self.data / "certs/ca.pem")
        wait(lambda: (self.data / "first-key.txt").exists() and (self.data / "owner-link.txt").exists())
        self.key = re.search(r"pk_\w+", (self.data / "first-key.txt").read_text()).group(0)

    def traced(self, what):
        path = OUT / f"{self.name}-{what}.strace"
        self.traces.append((what, path))
        return [*STRACE, str(path), PROGRAM]

    def command(self, what, *arguments, codes=(0,)):
        command = [*self.traced(what), *arguments, "--data-dir", str(self.data), *self.settings]
        command += ["--set", "server.bind=127.0.0.1:8443"]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, cwd=self.folder)
        check(f"rasterd {what}", done.returncode in codes, done.stdout + done.stderr)
        return done.stdout

    def ask(self, method, path, body=None, headers=(), key=True):
        connection = http.client.HTTPSConnection("localhost", 8443, context=self.trust, timeout=DEADLINE)
        sent = {"Api-Version": "2026-07-08", **dict(headers)}
        if key:
            sent["Authorization"] = f"Bearer {self.key}"
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def json(self, path, body):
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        status, _, answer = self.ask("POST", path, json.dumps(body), headers)
        return status, json.loads(answer)

    def tool(self, name, arguments):
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        return self.json("/mcp", call)[1]["result"]

    def stop(self):
        server = pathlib.Path(f"/proc/{self.strace.pid}/task/{self.strace.pid}/children").read_text().split()
        os.kill(int(server[0]), signal.SIGTERM)
        code = self.strace.wait(DEADLINE)
        check("the server stops", code == 0, code)


def upload(server):
    """Files of several formats, by REST and by MCP, and pictures of each."""
    paths = []
    for name, content in FORMATS.items():
        content = content or (FIXTURES / name).read_bytes()
        file_name = pathlib.Path(name).name
        head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{file_name}"\r\n\r\n'
        body = head.encode() + content + b"\r\n--x--\r\n"
        status, _, answer = server.ask("POST", f"{LIBRARY}/assets", body, {"Content-Type": "multipart/form-data; boundary=x"})
        check(f"an upload of {file_name}", status == 200, answer)
        if status == 200:
            asset = json.loads(answer)["data"]["assets"][0]
            paths.append((file_name, urllib.parse.urlparse(asset["url"]).path))
    source = {"kind": "base64", "filename": "by-mcp.png", "mimeType": "image/png"}
    source["data"] = base64.b64encode((FIXTURES / "seeding.png").read_bytes()).decode()
    result = server.tool("upload_asset", {"organizationId": "default", "libraryId": "library", "source": source})
    check("an upload by MCP", not result.get("isError"), result)
    for file_name, path in paths:
        if file_name.endswith(".heic") and not first_tool(TOOLS["heic"]):
            continue
        for format in ("jpeg", "webp", "avif"):
            status, _, answer = server.ask("GET", f"{path}?w=64&fm={format}", key=False)
            check(f"{file_name} as {format}", status == 200, answer)


def read(server):
    """Search, lists, GraphQL, MCP, documents, monitoring."""
    found = lambda: json.loads(server.ask("GET", "/organizations/default/search/assets?q=wine")[2])["data"]["found"]
    check("search", found() == 1, found())
    status, answer = server.json("/graphql", {"query": '{ assets(organizationId: "default", libraryId: "library") { id name } }'})
    check("GraphQL", status == 200 and len(answer["data"]["assets"]) > 5, answer)
    check("MCP", not server.tool("whoami", {}).get("isError"))
    for path in ("/openapi.json", "/docs", "/llms.txt", "/app/sign-in", "/readyz?verbose"):
        status, _, answer = server.ask("GET", path, key=False)
        check(f"GET {path}", status == 200, answer)


def sign_in(server):
    """Becomes the owner by the link of the first start, and signs in."""

    def page(path, cookies=""):
        status, headers, body = server.ask("GET", path, headers={"Cookie": cookies}, key=False)
        set_ = "; ".join(cookie.split(";")[0] for cookie in headers.get_all("Set-Cookie") or [])
        token = re.search(r'name="csrf" value="([^"]+)"', body.decode())
        return status, set_, token.group(1) if token else "", body

    def submit(path, cookies, **fields):
        headers = {
            "Cookie": cookies,
            "Origin": "https://localhost:8443",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return server.ask("POST", path, urllib.parse.urlencode(fields), headers, key=False)

    link = urllib.parse.urlparse((server.data / "owner-link.txt").read_text().strip()).path
    _, cookies, token, _ = page(link)
    status, _, body = submit(link, cookies, csrf=token, email=EMAIL, name="Ada", password=PASSWORD)
    check("the first owner joins", status == 303, body)
    _, cookies, token, _ = page("/app/sign-in")
    status, headers, body = submit("/app/sign-in", cookies, csrf=token, email=EMAIL, password=PASSWORD)
    check("signing in", status == 303, body)
    session = "; ".join(cookie.split(";")[0] for cookie in headers.get_all("Set-Cookie") or [])
    status, _, _, body = page("/app/default/library", session)
    check("a page of the web app", status == 200 and b"wine" in body, body)


def refuse_fetching(server):
    for url in ("https://example.org/a.png", "http://192.0.2.1/a.png", "http://127.0.0.1:9/a.png"):
        source = {"kind": "url", "url": url}
        result = server.tool("upload_asset", {"organizationId": "default", "libraryId": "library", "source": source})
        error = json.loads(result["content"][0]["text"]).get("error", {})
        is_refused = result.get("isError") and error.get("code") == "FORBIDDEN" and "offline" in error["message"]
        check(f"an upload from {url} is refused", is_refused, result)


def work(name, settings, folder, is_offline):
    say(f"\n{name}: rasterd serve {' '.join(settings)}")
    server = Round(name, folder, settings)
    upload(server)
    read(server)
    sign_in(server)
    if is_offline:
        refuse_fetching(server)
    server.command("key create", "key", "create", "Another", "--org", "default", "--grant", "library=read")
    server.command("member invite", "member", "invite", "bob@example.org", "--org", "default", "--role", "viewer")
    server.command("health", "health")
    server.command("backup", "backup", str(folder / "backup"))
    # Warnings of the machine, such as little room, are not about the network.
    server.command("doctor", "doctor", codes=(0, 1))
    server.stop()
    for what, path in server.traces:
        # Only `rasterd health` connects, to the server on this machine.
        trace = Trace(path.read_text(errors="replace").splitlines(), may_connect_here=what == "health")
        families = ", ".join(f"{count} {family}" for family, count in sorted(trace.families.items())) or "none"
        say(
            f"  {what}: {trace.calls} calls about the network; sockets: {families}; {trace.listening} listen, "
            f"{trace.accepted} connections accepted, {trace.here} made to this machine"
        )
        check(f"{what} calls nowhere", not trace.problems, "\n".join(trace.problems))
        if what == "server":
            check("the server was traced", trace.accepted > 20 and trace.listening > 0, trace.accepted)


def check_the_check(folder):
    """What calls out is found: a connection, a datagram, a question to a name server, and a socket that is not used."""
    say("\nThe check finds what calls out")
    snippets = {
        "a connection": "s.connect_ex(('192.0.2.1', 80))",
        "a connection to this machine": "s.connect_ex(('127.0.0.1', 9))",
        "a connection by IPv6": "import socket; socket.socket(socket.AF_INET6).connect_ex(('2001:db8::1', 80))",
        "a question to a name server": "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.53', 53))",
        "a socket that is not used": "pass",
        "a listener for others": "s.bind(('0.0.0.0', 0)); s.listen()",
    }
    for what, snippet in snippets.items():
        path = folder / "check.strace"
        program = f"import socket\ns = socket.socket()\ntry:\n    {snippet}\nexcept OSError:\n    pass\n"
        subprocess.run([*STRACE, str(path), sys.executable, "-c", program], check=True)
        check(what, Trace(path.read_text().splitlines()).problems)
    path = folder / "check.strace"
    program = "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen()\n"
    subprocess.run([*STRACE, str(path), sys.executable, "-c", program], check=True)
    check("a listener on this machine is no problem", not Trace(path.read_text().splitlines()).problems)


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    seen = [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line]
    version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    say(f"{version} on Linux {os.uname().release}, {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC")
    say(f"Interfaces: {', '.join(seen)}")
    check("there is only the loopback interface", seen == ["lo"], seen)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        check_the_check(folder)
        for name, settings in (("offline", ["network.offline=true"]), ("default", [])):
            (folder / name).mkdir()
            work(name, settings, folder / name, bool(settings))
    outcome = f"{len(failures)} checks FAILED: {'; '.join(failures)}" if failures else "rasterd called nowhere."
    say(f"\n{outcome}")
    (OUT / "summary.txt").write_text("\n".join(lines) + "\n")
    print(f"The summary is in {OUT / 'summary.txt'}, the traces beside it.")
    sys.exit(1 if failures else 0)


main()
