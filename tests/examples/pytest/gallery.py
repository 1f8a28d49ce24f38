"""A web page with an upload form. It passes uploads on to the server, so that the key stays on this side."""

import json
import ssl
import urllib.request
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FORM = """
<form method="post" enctype="multipart/form-data"><input type="file" name="files"><button>Upload</button></form>
"""


class Gallery(ThreadingHTTPServer):
    """The page's server, on a free port."""

    def __init__(self, assets_url: str, headers: dict[str, str], trust: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.assets_url, self.headers, self.trust = assets_url, headers, trust

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def upload(self, body: bytes, content_type: str) -> str:
        """Passes a form on, and returns the page to show."""
        headers = {**self.headers, "Content-Type": content_type}
        request = urllib.request.Request(self.assets_url, body, headers)
        try:
            with urllib.request.urlopen(request, context=self.trust) as answer:
                assets = json.load(answer)["data"]["assets"]
        except urllib.error.HTTPError as error:
            return f"<p>{escape(json.load(error)['error']['message'])}</p>{FORM}"
        except OSError:
            return f"<p>The upload was interrupted. Please try again.</p>{FORM}"
        return "".join(f'<img src="{escape(asset["url"])}">' for asset in assets)


class Page(BaseHTTPRequestHandler):
    """Shows the form, and takes it."""

    server: Gallery

    def do_GET(self) -> None:
        self.show(FORM)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.show(self.server.upload(body, self.headers["Content-Type"]))

    def show(self, page: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_: object) -> None:
        pass
