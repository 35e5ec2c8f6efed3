"""Kept-open connections to a node, over which requests are posted; a third of urllib3's cost."""

import weakref
from collections import deque
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from urllib3.util import wait_for_read

HTTP_ERROR = 400
HEADERS = {"Content-Type": "application/json"}


class Session:
    """Posts requests to one URL, from as many threads at once as like to.

    No proxy of the environment comes between, and nothing is tried twice without being asked.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        self._kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port, self._path = parts.hostname or "", parts.port, parts.path or "/"
        self._timeout_s = timeout_s
        self._idle: deque[HTTPConnection] = deque()
        weakref.finalize(self, _close, self._idle)  # who forgets to close it leaves no socket open

    def post(self, body: bytes) -> bytes:
        """The answer to a body; raises `OSError` or `HTTPException` where none comes."""
        connection = self._connection()
        try:
            connection.request("POST", self._path, body, HEADERS)
            answer = connection.getresponse()
            content = answer.read()
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        if answer.status >= HTTP_ERROR:
            raise HTTPException(f"HTTP status {answer.status}")
        return content

    def _connection(self) -> HTTPConnection:
        """One that is idle, and that the node has not ended meanwhile, or a new one."""
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if connection.sock is not None and not wait_for_read(connection.sock, 0.0):
                    return connection
                connection.close()
        return self._kind(self._host, self._port, timeout=self._timeout_s)

    def close(self) -> None:
        """Ends the connections."""
        _close(self._idle)


def _close(idle: deque[HTTPConnection]) -> None:
    while idle:
        idle.pop().close()
