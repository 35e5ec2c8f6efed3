"""A node that is silent, late, or answers nonsense: a clear error, and nothing lost or twice."""

import gc
import json
import threading
import time
from collections.abc import Callable
from itertools import count

import pytest

from sim.chain import Rpc
from sim.chain.accounts import ROUTER_INDEX, AccountKind, account
from sim.chain.blocks import ForeignBlocks, OwnBlocks, Span
from sim.chain.node import CHAIN_ID, Node
from sim.chain.rpc import UnreachableError
from sim.chain.sender import Sender
from sim.chain.settlement import GENESIS_UNIX
from sim.facts import ChainError
from tests.chain_helpers import Answer, forwarding, server

LIMIT_S = 0.3
LATE_S = 3 * LIMIT_S
ROUTER = account(AccountKind.OPERATOR, ROUTER_INDEX)


def result(body: bytes, value: str) -> bytes:
    """A right answer to one request."""
    return json.dumps({"jsonrpc": "2.0", "id": json.loads(body)["id"], "result": value}).encode()


def test_a_way_to_a_node_that_is_not_closed_leaves_no_socket_open() -> None:
    with server(lambda body: (200, result(body, "0x1"))) as url:
        way = Rpc(url)
        assert way.quantity("eth_blockNumber") == 1
        (connection,) = way._session._idle
        del way
        gc.collect()
        assert connection.sock is None


# -- Silent and late -------------------------------------------------------------------------------


def test_a_node_that_accepts_and_never_answers_is_an_error_within_the_limit() -> None:
    over = threading.Event()

    def silent(_: bytes) -> tuple[int, bytes]:
        over.wait(30)
        return 0, b""

    with server(silent) as url, Rpc(url, timeout_s=LIMIT_S) as rpc:
        started = time.monotonic()
        with pytest.raises(UnreachableError, match="no answer in time"):
            rpc.quantity("eth_blockNumber")
        with pytest.raises(UnreachableError, match="no answer in time"):
            rpc.batch([("eth_blockNumber", []), ("eth_chainId", [])])
        with pytest.raises(UnreachableError, match="no answer in time"):
            rpc.in_order([("eth_blockNumber", []), ("eth_chainId", [])])
        assert time.monotonic() - started < 20 * LIMIT_S
        over.set()


def test_an_answer_after_the_limit_is_not_taken_for_the_next_requests() -> None:
    asked = count()

    def late(body: bytes) -> tuple[int, bytes]:
        if next(asked) == 0:
            time.sleep(LATE_S)
            return 200, result(body, "0x1")
        return 200, result(body, "0x2")

    with server(late) as url, Rpc(url, timeout_s=LIMIT_S) as rpc:
        with pytest.raises(UnreachableError, match="no answer in time"):
            rpc.quantity("eth_blockNumber")
        time.sleep(LATE_S)
        assert rpc.quantity("eth_blockNumber") == 2


def delaying(url: str, method: bytes) -> Answer:
    """Passes requests to a node; the first answer to a method comes after the limit."""
    pass_on, seen = forwarding(url, lambda _: False), count()

    def answer(body: bytes) -> tuple[int, bytes]:
        content = pass_on(body)
        if method in body and next(seen) == 0:
            time.sleep(LATE_S)
        return content

    return answer


@pytest.mark.chain
@pytest.mark.parametrize("method", [b"eth_sendRawTransaction", b"evm_mine"])
def test_what_was_carried_out_too_late_to_hear_of_is_not_done_twice(method: bytes) -> None:
    with (
        Node() as node,
        server(delaying(node.url, method)) as url,
        Rpc(url, timeout_s=LIMIT_S) as rpc,
    ):
        blocks = OwnBlocks(rpc, Sender(rpc, ROUTER, CHAIN_ID, free=True), GENESIS_UNIX, None)
        for number in (1, 2):
            ready = [blocks.sender.prepare(ROUTER.address, b"", 30_000)]
            assert blocks.submit(ready, number) == Span(number, number)
            assert rpc.block(number).transactions == (ready[0].hash,)
        assert blocks.sender.landed() == 2


@pytest.mark.chain
def test_a_late_answer_of_somebody_elses_node_sends_nothing_twice() -> None:
    with (
        Node(automine=True) as node,
        server(delaying(node.url, b"eth_sendRawTransaction")) as url,
        Rpc(url, timeout_s=LIMIT_S) as rpc,
    ):
        blocks = ForeignBlocks(rpc, Sender(rpc, ROUTER, CHAIN_ID, free=True), warp=False)
        for number in (1, 2):
            blocks.submit([blocks.sender.prepare(ROUTER.address, b"", 30_000)], 0)
            assert blocks.sender.landed() == number


def test_the_connections_of_a_client_that_nobody_has_closed_are_closed() -> None:
    """Or an error: a socket that is left open is a warning, and warnings are errors here."""
    with server(lambda body: (200, result(body, "0x1"))) as url:
        client = Rpc(url)
        assert client.quantity("eth_blockNumber") == 1
        del client
        gc.collect()


# -- Nonsense --------------------------------------------------------------------------------------


def other_id(body: bytes) -> bytes:
    """Right but for the id, as from a node that has confused its clients."""
    asked = json.loads(body)
    answers = [
        {"jsonrpc": "2.0", "id": one["id"] + 1, "result": "0x1"}
        for one in (asked if isinstance(asked, list) else [asked])
    ]
    return json.dumps(answers if isinstance(asked, list) else answers[0]).encode()


NONSENSE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "html": (lambda _: b"<html>busy</html>", "does not speak JSON-RPC"),
    "no text": (lambda _: b"\xff\xfe\x00", "does not speak JSON-RPC"),
    "cut short": (lambda body: result(body, "0x1")[:-9], "does not speak JSON-RPC"),
    "a number": (lambda _: b"7", "sent '7' to eth_blockNumber"),
    "no result": (lambda body: result(body, "").replace(b"result", b"other"), "sent no result"),
    "another id": (other_id, r"answered request \d+ where \d+ was asked"),
    "no quantity": (lambda body: result(body, "0xzz"), "the node sent '0xzz'"),
}


@pytest.mark.parametrize("kind", list(NONSENSE))
def test_nonsense_is_an_error_that_says_what_was_sent(kind: str) -> None:
    made, complaint = NONSENSE[kind]
    with (
        server(lambda body: (200, made(body))) as url,
        Rpc(url, timeout_s=LIMIT_S) as rpc,
        pytest.raises(ChainError, match=complaint),
    ):
        rpc.quantity("eth_blockNumber")


def test_an_answer_shorter_than_it_says_is_an_error() -> None:
    def short(body: bytes) -> tuple[int, bytes]:
        return 200, result(body, "0x1")

    with server(short, missing=9) as url, Rpc(url, timeout_s=LIMIT_S) as rpc:
        with pytest.raises(UnreachableError, match="cannot be reached"):
            rpc.quantity("eth_blockNumber")
        with pytest.raises(UnreachableError, match="cannot be reached"):
            rpc.in_order([("eth_blockNumber", []), ("eth_chainId", [])])


@pytest.mark.parametrize("ask", [Rpc.batch, Rpc.in_order])
def test_answers_to_other_requests_than_were_asked_are_an_error(
    ask: Callable[[Rpc, list[tuple[str, list[object]]]], object],
) -> None:
    with (
        server(lambda body: (200, other_id(body))) as url,
        Rpc(url, timeout_s=LIMIT_S) as rpc,
        pytest.raises(ChainError, match=r"answered request \d+ where \d+ was asked"),
    ):
        ask(rpc, [("eth_blockNumber", []), ("eth_chainId", [])])


def test_answers_of_a_batch_are_told_apart_by_their_ids() -> None:
    def backwards(body: bytes) -> tuple[int, bytes]:
        asked = json.loads(body)
        answers = [{"id": one["id"], "result": one["method"]} for one in reversed(asked)]
        return 200, json.dumps(answers).encode()

    with server(backwards) as url, Rpc(url) as rpc:
        assert rpc.batch([("eth_chainId", []), ("net_version", [])]) == [
            "eth_chainId",
            "net_version",
        ]
