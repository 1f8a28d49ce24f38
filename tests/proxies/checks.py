"""What must hold behind every proxy."""

import http.client
import http.server
import json
import re
import socket
import ssl
import struct
import threading
import urllib.parse
import zlib
from collections.abc import Iterator

from processes import DEADLINE, Rasterd, until
from snippets import HOST, Place

Headers = dict[str, str]
ASSETS = "/organizations/default/libraries/library/assets"
VERSION = {"Api-Version": "2026-07-08"}
# What each client sends about its address itself.
CLAIM = {
    "X-Forwarded-For": "198.51.100.1, 127.0.0.1",
    "Forwarded": "for=198.51.100.1",
    "X-Real-IP": "198.51.100.1",
}
ATTEMPTS = 30


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


HEADER = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", HEADER)
    + chunk(b"IDAT", zlib.compress(b"\0\0"))
    + chunk(b"IEND", b"")
)


class Connection(http.client.HTTPSConnection):
    """A connection of a client that has an address of its own on this machine, and trusts the company's authority."""

    def __init__(self, place: Place, address: str) -> None:
        trust = ssl.create_default_context(cafile=place.folder / "tls/ca.pem")
        super().__init__(HOST, place.front, timeout=DEADLINE, context=trust, source_address=(address, 0))
        self._trust = trust

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout, self.source_address)
        self.sock = self._trust.wrap_socket(plain, server_hostname=HOST)


class Client:
    """Requests of one client, which always claims to be another."""

    def __init__(self, place: Place, address: str, key: str = "") -> None:
        self.place, self.address = place, address
        self.headers = CLAIM | ({"Authorization": f"Bearer {key}"} if key else {})

    def open(self) -> Connection:
        return Connection(self.place, self.address)

    def send(
        self, method: str, path: str, body: str | bytes | None = None, headers: Headers | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = self.open()
        connection.request(method, path, body, self.headers | (headers or {}))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content


def expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise AssertionError(f"{what}: {found!r}, and not {expected!r}")


def answers(place: Place) -> bool:
    """Whether the proxy and the server behind it are there."""
    try:
        return Client(place, "127.0.0.1").send("GET", "/healthz")[0].status == 200
    except OSError:
        return False


def check_headers(place: Place, rasterd: Rasterd) -> None:
    """The server answers, and browsers are told to use only HTTPS."""
    answer, body = Client(place, "127.0.0.2").send("GET", "/healthz")
    expect("the answer", (answer.status, json.loads(body)["status"]), (200, "ok"))
    expect("HSTS", answer.getheader("Strict-Transport-Security"), "max-age=31536000")
    expect("the development authority in the set-ups", "CA_CERTS" in rasterd.first_steps, False)


def check_sign_in_limit(place: Place, rasterd: Rasterd) -> None:
    """A client that guesses passwords locks out only itself."""
    mallory, ada = Client(place, "127.0.0.2"), Client(place, "127.0.0.3")
    answers = [guess(mallory, f"m{number}") for number in range(ATTEMPTS)]
    expect("the attempts that each client has", set(answers), {422})
    # Every few seconds there is another one.
    expect("attempts beyond", 429 in (guess(mallory, f"more{number}") for number in range(ATTEMPTS)), True)
    expect("an attempt of another client", guess(ada, "ada"), 422)


def guess(client: Client, account: str) -> int:
    page, text = client.send("GET", "/app/sign-in")
    token = re.search(rb'name="csrf" value="([^"]+)"', text)
    cookie = (page.getheader("Set-Cookie") or "").split(";")[0]
    assert token, text
    form = {"csrf": token[1].decode(), "email": f"{account}@example.org", "password": "wrong"}
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": cookie,
        "Origin": client.place.url,
    }
    return client.send("POST", "/app/sign-in", urllib.parse.urlencode(form), headers)[0].status


def check_audit_log(place: Place, rasterd: Rasterd) -> None:
    """The audit log has the address of the client, and not what it claims."""
    client = Client(place, "127.0.0.4", rasterd.key)
    headers = VERSION | {"Content-Type": "application/json"}
    answer, text = client.send("POST", "/organizations/default/libraries", '{"name": "Another"}', headers)
    assert answer.status < 300, text
    events = rasterd.events()
    expect("the client in the audit log", "127.0.0.4" in events, True)
    expect("its claim in the audit log", "198.51.100.1" in events, False)


def form_around(size: int) -> tuple[bytes, bytes, Headers]:
    name = 'Content-Disposition: form-data; name="files"; filename="large.png"'
    head = f"--b\r\n{name}\r\nContent-Type: image/png\r\n\r\n".encode()
    tail = b"\r\n--b--\r\n"
    length = str(len(head) + size + len(tail))
    return head, tail, VERSION | {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": length}


def check_upload_and_ranges(place: Place, rasterd: Rasterd) -> None:
    """64 MiB arrive while they are sent, and parts of them are served."""
    file = PNG + bytes((64 << 20) - len(PNG))
    client = Client(place, "127.0.0.5", rasterd.key)
    head, tail, headers = form_around(len(file))
    connection = client.open()
    connection.putrequest("POST", ASSETS)
    for name, value in (client.headers | headers).items():
        connection.putheader(name, value)
    connection.endheaders()
    half = len(file) // 2
    connection.send(head + file[:half])
    until("the first half arrives before the second is sent", lambda: rasterd.arriving_bytes() > half // 2)
    connection.send(file[half:] + tail)
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status == 200, (answer.status, text)
    asset = json.loads(text)["data"]["assets"][0]
    expect("the url", asset["url"].startswith(place.url + "/"), True)
    path = asset["url"].removeprefix(place.url)
    for asked, expected in [
        ("0-9", file[:10]),
        (f"{half}-{half + 99999}", file[half : half + 100000]),
        ("-7", file[-7:]),
    ]:
        answer, part = Client(place, "127.0.0.6").send("GET", path, headers={"Range": f"bytes={asked}"})
        expect(f"the range {asked}", (answer.status, part == expected), (206, True))
    expect("the whole file", Client(place, "127.0.0.6").send("GET", path)[1] == file, True)


class SlowFile(http.server.BaseHTTPRequestHandler):
    """A file whose second half comes only when the client of rasterd has seen progress."""

    seen = threading.Event()
    file = b"<svg xmlns='http://www.w3.org/2000/svg'><!--" + b"x" * 300_000 + b"--></svg>"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "image/svg+xml")
        self.send_header("Content-Length", str(len(self.file)))
        self.end_headers()
        half = len(self.file) // 2
        self.wfile.write(self.file[:half])
        if self.seen.wait(DEADLINE):
            self.wfile.write(self.file[half:])

    def log_message(self, *_: object) -> None:
        pass


def check_event_stream(place: Place, rasterd: Rasterd) -> None:
    """Events of an MCP call arrive while it runs."""
    SlowFile.seen.clear()
    files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowFile)
    threading.Thread(target=files.serve_forever, daemon=True).start()
    source = {"kind": "url", "url": f"http://127.0.0.1:{files.server_port}/slow.svg"}
    arguments = {"organizationId": "default", "libraryId": "library", "source": source}
    call = {"name": "upload_asset", "arguments": arguments, "_meta": {"progressToken": "p"}}
    client = Client(place, "127.0.0.7", rasterd.key)
    connection = client.open()
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call})
    connection.request("POST", "/mcp", body, client.headers | headers)
    answer = connection.getresponse()
    expect("the stream", (answer.status, answer.getheader("Content-Type")), (200, "text/event-stream"))
    messages = events_of(answer)
    expect("the first event", next(messages)["method"], "notifications/progress")
    SlowFile.seen.set()
    last = list(messages)[-1]
    assert "result" in last and not last["result"].get("isError"), last
    files.shutdown()


def events_of(answer: http.client.HTTPResponse) -> Iterator[dict]:  # type: ignore[type-arg]
    while line := answer.readline():
        if line.startswith(b"data: {"):
            yield json.loads(line.removeprefix(b"data: "))


CHECKS = [check_headers, check_sign_in_limit, check_audit_log, check_upload_and_ranges, check_event_stream]
