"""Requests to the endpoint through which tests control their server."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from rasterd._process import ServerError

ANSWERS_WITHIN_SECONDS = 60


class Control:
    """The control endpoint of one server. Safe to use from several threads."""

    def __init__(self, url: str, token: str, trust: ssl.SSLContext, last_words: Callable[[], str]) -> None:
        """Opens no connection yet."""
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        # Without a proxy, whatever the environment says: the server is on this machine.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        )
        self._last_words = last_words

    def send(self, method: str, path: str, body: object = None) -> Any:
        """Sends a request and returns the JSON of its answer, or None when that is empty."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, content, self._headers, method=method)
        try:
            with self._opener.open(request, timeout=ANSWERS_WITHIN_SECONDS) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                reason = error.read().decode(errors="replace")
            raise ServerError(
                f"{method} {self._url}{path} was refused with {error.code}: {reason}"
            ) from error
        except OSError as error:
            raise ServerError(
                f"{method} {self._url}{path} got no answer: {error}. {self._last_words()}"
            ) from error
        return json.loads(text) if text else None
