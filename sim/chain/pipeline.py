"""Requests that a node carries out one after the other, without a wait between them.

A JSON-RPC batch does not say in which order its requests are carried out, and an Anvil carries them
out at once, each as far as it comes: from the 64th transaction on, those of different senders
change places. On one HTTP/1.1 connection answers come in order (RFC 9112, 9.3.2), and an Anvil does
not begin a request before it has answered the one before.
"""

import socket
import sys
from collections.abc import Iterator, Sequence
from http.client import HTTPException, parse_headers
from typing import IO
from urllib.parse import urlsplit

# Twice so many requests are on their way at most: their answers, of some 300 bytes, fit into any
# socket's buffer, so that nobody waits for the other to read.
WINDOW = 100
HTTP_OK = b"200"

_HEAD = (
    "POST {path} HTTP/1.1\r\nHost: {place}\r\nContent-Type: application/json\r\n"
    "Content-Length: %d\r\n\r\n"
)


def in_order(url: str, bodies: Sequence[bytes], timeout_s: float = 60.0) -> Iterator[bytes]:
    """The answers to POST requests with these bodies, each carried out after the one before.

    Args:
        url: http://HOST:PORT. timeout_s: how long one answer may take.

    Raises:
        OSError: the connection is refused, ends or takes too long.
        HTTPException: what answers does not speak HTTP, or refuses.
    """
    parts = urlsplit(url)
    head = _HEAD.format(path=parts.path or "/", place=parts.netloc).encode()
    sent = 0
    with (
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout_s) as way,
        way.makefile("rb") as answers,
    ):
        for number in range(len(bodies)):
            if number % WINDOW == 0:
                ahead, sent = bodies[sent : number + 2 * WINDOW], number + 2 * WINDOW
                way.sendall(b"".join(head % len(body) + body for body in ahead))
            _acknowledge_at_once(way)
            yield _answer(answers)


def _acknowledge_at_once(way: socket.socket) -> None:
    """Else a node that waits for our word sends its next small answer 40 ms late."""
    if sys.platform == "linux":  # which forgets it after some answers
        way.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _answer(file: IO[bytes]) -> bytes:
    """The body of the next answer."""
    status = file.readline()
    if not status:
        raise ConnectionResetError("the connection has ended")
    if status.split(b" ", 2)[1:2] != [HTTP_OK]:
        raise HTTPException(status.decode("latin-1").strip())
    size = parse_headers(file).get("Content-Length", "")
    if not size.isdigit():
        raise HTTPException("an answer without a length")
    body = file.read(int(size))
    if len(body) < int(size):
        raise ConnectionResetError("the connection has ended")
    return body
