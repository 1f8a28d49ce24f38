"""Python's own `urllib` and `ssl`, with only the variables of the client setups."""

import json
import platform
import ssl
import urllib.error
import urllib.request

from environment import AUTHORIZATION, LIBRARY_URL, PICTURE, REST, URL, expect

BOUNDARY = "a-boundary"


def asked(url: str, headers: dict, body: bytes | None = None) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def main() -> None:
    authorities = len(ssl.create_default_context().get_ca_certs())
    expect(authorities > 20, f"the system's authorities beside ours, and not {authorities} in all")
    status, body = asked(f"{URL}/me", REST)
    expect(status == 200 and json.loads(body)["data"]["organizationId"], "an answer of /me")
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="ü.jpg"\r\n\r\n'
    form = part.encode() + PICTURE + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {**REST, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    status, body = asked(f"{LIBRARY_URL}/assets", headers, form)
    expect(status == 200, f"an upload, and not {body!r}")
    expect(asked(json.loads(body)["data"]["assets"][0]["url"], {}) == (200, PICTURE), "the same bytes back")
    status, body = asked(f"{URL}/me", AUTHORIZATION)
    expect(status == 400 and b"API_VERSION_REQUIRED" in body, "the version asked for")
    print(f"version: {platform.python_version()}")
    print("ran: REST, upload, asset url, an error, the system's authorities")


main()
