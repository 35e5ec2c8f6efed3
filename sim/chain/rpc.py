"""A thin, typed JSON-RPC client over web3.py's provider, which says plainly what failed.

web3.py writes and reads the requests, which go over one kept-open session, and each answer is held
against the id of its request; its middleware and formatters, which turn every log of a receipt into
objects, are left out: they cost more than the chain itself.
"""

import json
import threading
import time
from collections.abc import Callable, Sequence
from http.client import HTTPException
from typing import Self, TypeAlias

from web3.providers import JSONBaseProvider
from web3.types import RPCEndpoint

from sim.chain.answers import (
    Block,
    Json,
    Log,
    Receipt,
    as_bytes,
    as_list,
    as_quantity,
    read_block,
    read_log,
    read_receipt,
)
from sim.chain.loopback import check_loopback
from sim.chain.pipeline import in_order
from sim.chain.session import Session
from sim.chain.settlement import TIMEOUT_S
from sim.facts import ChainError

Request: TypeAlias = tuple[str, list[Json]]

REQUESTS_PER_BATCH = 500
POLL_S = 0.01
RETRY_S = 0.2
LATE_ATTEMPTS = 2


class UnreachableError(ChainError):
    """No answer came, or not in time: the request may or may not have been carried out."""

    def __init__(self, message: str, *, late: bool = False) -> None:
        self.late = late
        super().__init__(message)


class RefusedError(ChainError):
    """The node answered with an error: ``method`` was asked, ``message`` and ``data`` came back."""

    def __init__(self, method: str, message: str, data: str = "") -> None:
        self.method, self.message, self.data = method, message, data
        super().__init__(f"the node refused {method}: {message}")


class Rpc:
    """A way to one node, which two threads may share; a context manager.

    Args:
        url: http://HOST:PORT; must be this machine's own unless ``allow_remote``.
        timeout_s: how long one request may take.
        heard: is told, by any thread, when an answer is lost and asked for again.
    """

    def __init__(
        self, url: str, *, allow_remote: bool = False, timeout_s: float = TIMEOUT_S,
        heard: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        check_loopback(url, allow_remote)
        self.url, self._timeout_s, self._heard = url, timeout_s, heard
        self._session = Session(url, timeout_s)
        self._web3, self._encoding = JSONBaseProvider(), threading.Lock()

    def close(self) -> None:
        """Ends the connection."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, method: str, *params: Json) -> Json:
        """The result of one request; raises `RefusedError` or `UnreachableError`."""
        with self._encoding:
            asked = next(self._web3.request_counter) + 1
            body = self._web3.encode_rpc_request(RPCEndpoint(method), list(params))
        answer = self._post(body)
        self._check_id(answer, asked)
        return self._result(method, answer)

    def _post(self, body: bytes) -> object:
        """What is answered to a request, or a batch of them."""
        try:
            return self._web3.decode_rpc_response(self._session.post(body))
        except (OSError, HTTPException, ValueError) as error:
            raise self._lost(error) from None

    def _check_id(self, answer: object, asked: int) -> None:
        """Raises `ChainError` for an answer to another request; what is not understood has none."""
        if not isinstance(answer, dict) or _id(answer) == asked:
            return
        if answer.get("id") is not None or "error" not in answer:
            raise ChainError(self._confused(str(answer.get("id")), asked))

    def _confused(self, found: str, asked: int) -> str:
        return f"{self.url} answered request {found} where {asked} was asked"

    def batch(self, asked: Sequence[Request]) -> list[Json]:
        """The results of many requests, in order; raises as `call`, for the first refused."""
        results = []
        for answer in self.batch_answers(asked):
            if isinstance(answer, RefusedError):
                raise answer
            results.append(answer)
        return results

    def batch_answers(self, asked: Sequence[Request]) -> list["Json | RefusedError"]:
        """As `batch`, but a refused request yields its `RefusedError` in its place."""
        answers: list[Json | RefusedError] = []
        for start in range(0, len(asked), REQUESTS_PER_BATCH):
            part = asked[start : start + REQUESTS_PER_BATCH]
            for (method, _), answer in zip(part, self._exchange(part), strict=True):
                answers.append(self._result_or_refused(method, answer))
        return answers

    def in_order(self, asked: Sequence[Request]) -> list["Json | RefusedError"]:
        """As `batch_answers`, but no request is carried out before the one before it is."""
        if len(asked) < 2:
            return self.batch_answers(asked)
        answers: list[Json | RefusedError] = []
        try:
            bodies = in_order(self.url, encoded(asked), self._timeout_s)
            for at, ((method, _), body) in enumerate(zip(asked, bodies, strict=True)):
                answer = json.loads(body)
                self._check_id(answer, at)
                answers.append(self._result_or_refused(method, answer))
        except (OSError, HTTPException, ValueError) as error:
            raise self._lost(error) from None
        return answers

    def _exchange(self, part: Sequence[Request]) -> list[object]:
        """The answers to a batch, in the order of its requests, whatever order they came in."""
        with self._encoding:
            first = next(self._web3.request_counter) + 1
            body = self._web3.encode_batch_rpc_request(
                [(RPCEndpoint(method), params) for method, params in part]
            )
        answers = self._post(body)
        if not isinstance(answers, list) or len(answers) != len(part):
            raise ChainError(f"{self.url} sent {str(answers)[:120]!r} to a batch of {len(part)}")
        numbers = range(first, first + len(part))
        of_id = {_id(answer): answer for answer in answers}
        for asked in numbers:
            if asked not in of_id:
                others = sorted(str(one) for one in of_id if one not in numbers)
                raise ChainError(self._confused(" ".join(others) or "twice", asked))
        return [of_id[number] for number in numbers]

    def _lost(self, error: Exception) -> UnreachableError:
        cause = str(error).split("\n", 1)[0][:160]
        if isinstance(error, ConnectionRefusedError):
            cause = "nothing answers there"
        elif isinstance(error, TimeoutError):
            cause = "no answer in time"
        elif isinstance(error, ValueError):
            cause = "what answers there does not speak JSON-RPC"
        late = isinstance(error, TimeoutError)
        return UnreachableError(f"the node at {self.url} cannot be reached: {cause}", late=late)

    def ask_again(self, lost: UnreachableError, attempt: int, attempts: int) -> None:
        """Waits a moment before the next attempt, or raises what was ``lost`` if none is left.

        The first attempt is 0. A node that hangs has taken its whole time: it is asked once more.
        """
        if attempt + 1 >= (min(attempts, LATE_ATTEMPTS) if lost.late else attempts):
            raise lost
        self._heard(f"{lost}; asking again")
        time.sleep(RETRY_S)

    def _result(self, method: str, answer: object) -> Json:
        if not isinstance(answer, dict):
            raise ChainError(f"{self.url} sent {str(answer)[:120]!r} to {method}")
        error: object = answer.get("error")
        if isinstance(error, dict):
            data = error.get("data")
            message = str(error.get("message"))[:300]
            raise RefusedError(method, message, data if isinstance(data, str) else "")
        if "result" not in answer:
            raise ChainError(f"{self.url} sent no result to {method}: {str(answer)[:120]}")
        result: Json = answer["result"]
        return result

    def _result_or_refused(self, method: str, answer: object) -> "Json | RefusedError":
        try:
            return self._result(method, answer)
        except RefusedError as refused:
            return refused

    def quantity(self, method: str, *params: Json) -> int:
        """The result of one request as an int."""
        return as_quantity(self.call(method, *params))

    def code(self, address: str) -> bytes:
        """The runtime code at an address, empty if there is none."""
        return as_bytes(self.call("eth_getCode", address, "latest"))

    def view(self, to: str, data: bytes, tag: str = "latest") -> bytes:
        """What a read-only call of a contract returns; raises `RefusedError` if it reverts.

        With the tag "pending" what waits to be mined counts, too.
        """
        return as_bytes(self.call("eth_call", {"to": to, "data": "0x" + data.hex()}, tag))

    def views(self, to: str, calls: Sequence[bytes]) -> list[bytes]:
        """Many views of one contract in one batch."""
        asked: list[Request] = [
            ("eth_call", [{"to": to, "data": "0x" + data.hex()}, "latest"]) for data in calls
        ]
        return [as_bytes(value) for value in self.batch(asked)]

    def block(self, number: int | str = "latest") -> Block:
        """A block's header and the hashes of its transactions."""
        return read_block(self.call("eth_getBlockByNumber", _block_name(number), False))

    def blocks(self, numbers: Sequence[int | str]) -> list[Block | None]:
        """The same of many in one batch; None for one that is not there."""
        asked: list[Request] = [
            ("eth_getBlockByNumber", [_block_name(number), False]) for number in numbers
        ]
        return [None if answer is None else read_block(answer) for answer in self.batch(asked)]

    def logs(self, address: str, topics: Sequence[bytes], first: int, last: int) -> list[Log]:
        """A contract's events with one of the ``topics``, in blocks first to last, in order."""
        method, parameters = _logs_request(address, topics, first, last)
        return [read_log(value) for value in as_list(self.call(method, *parameters))]

    def mined(
        self, address: str, topics: Sequence[bytes], first: int, last: int
    ) -> tuple[list[Block], list[Log]]:
        """The blocks first to last, and as `logs` the events in them, in one batch."""
        asked = [_logs_request(address, topics, first, last)]
        asked += [("eth_getBlockByNumber", [hex(n), False]) for n in range(first, last + 1)]
        logs, *blocks = self.batch(asked)
        return [read_block(value) for value in blocks], [read_log(v) for v in as_list(logs)]

    def receipts(self, transactions: Sequence[str]) -> list[Receipt]:
        """The receipts of transactions that are mined, in one batch; raises `ChainError`."""
        asked: list[Request] = [("eth_getTransactionReceipt", [name]) for name in transactions]
        return [read_receipt(value) for value in self.batch(asked)]

    def receipt(self, transaction: str, timeout_s: float = 30.0) -> Receipt:
        """The receipt, waited for: it can be null just after a send; raises `ChainError`."""
        end = time.monotonic() + timeout_s
        while True:
            answer = self.call("eth_getTransactionReceipt", transaction)
            if answer is not None:
                return read_receipt(answer)
            if time.monotonic() > end:
                raise ChainError(f"no receipt for {transaction} after {timeout_s:g} s")
            time.sleep(POLL_S)


def _id(answer: object) -> int | None:
    found: object = answer.get("id") if isinstance(answer, dict) else None
    return found if isinstance(found, int) else None


def encoded(asked: Sequence[Request]) -> list[bytes]:
    """Requests as JSON-RPC, each by itself."""
    return [
        json.dumps({"jsonrpc": "2.0", "id": at, "method": method, "params": params}).encode()
        for at, (method, params) in enumerate(asked)
    ]


def _block_name(number: int | str) -> str:
    return number if isinstance(number, str) else hex(number)


def _logs_request(address: str, topics: Sequence[bytes], first: int, last: int) -> Request:
    names: list[Json] = ["0x" + topic.hex() for topic in topics]
    blocks: dict[str, Json] = {"fromBlock": hex(first), "toBlock": hex(last)}
    return "eth_getLogs", [{"address": address, "topics": [names], **blocks}]
