"""Blocks of many senders are mined in the order sent, and replayed to the same head every time."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from sim.chain import Rpc, replay
from sim.chain.accounts import ROUTER_INDEX, AccountKind, account, accounts
from sim.chain.blocks import OwnBlocks
from sim.chain.node import CHAIN_ID, Node, mine, revert, snapshot
from sim.chain.pipeline import WINDOW
from sim.chain.rpc import RefusedError, Request, UnreachableError
from sim.chain.sender import Sender, Transaction, Wallets
from sim.chain.settlement import GENESIS_UNIX
from sim.chain.transactions import Genesis, TransactionWriter
from sim.rails import Rail
from tests.chain_helpers import batches, server, settled, setup

pytestmark = pytest.mark.chain
SENDERS, REPLAYS, GAS = 200, 4, 30_000
OWNERS = accounts(AccountKind.AGENT, SENDERS)
STRANGER = accounts(AccountKind.MODEL, 1)


@contextmanager
def own_blocks(directory: Path) -> Iterator[tuple[OwnBlocks, Rpc]]:
    operator = account(AccountKind.OPERATOR, ROUTER_INDEX)
    with Node() as node, Rpc(node.url) as rpc:
        writer = TransactionWriter(directory, Genesis(CHAIN_ID, GENESIS_UNIX))
        router = Sender(rpc, operator, CHAIN_ID, free=True)
        with closing(writer):
            yield OwnBlocks(rpc, router, GENESIS_UNIX, writer), rpc


def empty(wallets: Wallets, owner: int) -> Transaction:
    return wallets.prepare(owner, OWNERS[0].address, b"", GAS)


def send(rpc: Rpc, transaction: Transaction) -> None:
    method, parameters = transaction.request
    rpc.call(method, *parameters)


def heads(directory: Path) -> set[str]:
    found = set()
    for _ in range(REPLAYS):
        with replay(directory) as again:
            assert again.fault == ""
            found.add(again.head)
    return found


def test_a_block_of_many_senders_keeps_their_order_and_replays_to_its_head(tmp_path: Path) -> None:
    with own_blocks(tmp_path) as (blocks, rpc):
        wallets = Wallets(rpc, OWNERS, CHAIN_ID)
        for number in (1, 2):
            # Each sender three times, the later ones in between the others' earlier.
            sent = [empty(wallets, at * 7 % SENDERS) for at in range(3 * SENDERS)]
            blocks.submit(sent, number)
            assert rpc.block(number).transactions == tuple(one.hash for one in sent)
        head = rpc.block().hash
    assert heads(tmp_path) == {head}


@pytest.mark.parametrize("kind", ["transfer", "escrow-job"])
def test_many_agents_calls_settle_and_replay_to_one_head(kind: str, tmp_path: Path) -> None:
    rail = TypeAdapter[Rail](Rail).validate_python({"kind": kind})
    made, found = batches([400, 300], agents=SENDERS, models=20), set()
    for name in ("first", "second"):
        directory = tmp_path / name
        directory.mkdir()
        run = replace(setup(directory, agents=SENDERS, models=20), rail=rail)
        with settled(made, run) as settlement:
            found.add(settlement.head)
    assert heads(tmp_path / "first") == found


def test_a_strangers_transaction_in_a_block_of_ours_is_replayed_too(tmp_path: Path) -> None:
    with own_blocks(tmp_path) as (blocks, rpc):
        send(rpc, empty(Wallets(rpc, STRANGER, CHAIN_ID), 0))
        blocks.submit([empty(Wallets(rpc, OWNERS, CHAIN_ID), 0)], 1)
        block = rpc.block()
    assert len(block.transactions) == 2
    assert heads(tmp_path) == {block.hash}


def test_a_block_mined_amid_a_reorganisation_is_taken_back(tmp_path: Path) -> None:
    with own_blocks(tmp_path) as (blocks, rpc):
        wallets = Wallets(rpc, OWNERS, CHAIN_ID)
        blocks.submit([empty(wallets, 0)], 1)
        before = snapshot(rpc)
        blocks.submit([empty(wallets, 1)], 2)
        send(rpc, empty(wallets, 1))
        revert(rpc, before)
        mine(rpc, GENESIS_UNIX + 3)  # its sender's first transaction is gone: this one fails
        assert (rpc.block().number, rpc.block().transactions) == (2, ())
        blocks.look_again()
        assert rpc.block().number == 1
        blocks.submit([empty(Wallets(rpc, OWNERS, CHAIN_ID), 1)], 4)
        head = rpc.block().hash
    assert heads(tmp_path) == {head}


# -- The pipeline itself ---------------------------------------------------------------------------


def test_a_refused_request_has_its_place_among_the_answers() -> None:
    asked: list[Request] = [("eth_chainId", [])] * (2 * WINDOW + 3)
    asked[WINDOW] = ("eth_nonsense", [])
    with Node() as node, Rpc(node.url) as rpc:
        answers = rpc.in_order(asked)
    assert [at for at, one in enumerate(answers) if isinstance(one, RefusedError)] == [WINDOW]
    assert answers.count(hex(CHAIN_ID)) == len(asked) - 1


def hanging_up(after: int) -> Callable[[bytes], tuple[int, bytes]]:
    seen: list[bytes] = []

    def answer(body: bytes) -> tuple[int, bytes]:
        seen.append(body)
        done = len(seen) > after
        fits = {"id": json.loads(body)["id"], "result": "0x1"}
        return (0, b"") if done else (200, json.dumps(fits).encode())

    return answer


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (hanging_up(0), "the connection has ended"),
        (hanging_up(2), "the connection has ended"),
        (lambda _: (503, b"busy"), "503"),
        (lambda _: (200, b"<html>"), "does not speak JSON-RPC"),
    ],
)
def test_what_breaks_a_pipeline_is_said(
    answer: Callable[[bytes], tuple[int, bytes]], complaint: str
) -> None:
    with (
        server(answer) as url,
        Rpc(url) as rpc,
        pytest.raises(UnreachableError, match=complaint),
    ):
        rpc.in_order([("eth_chainId", [])] * 5)


def test_nobody_at_the_other_end_of_a_pipeline_is_said() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with Rpc(url) as rpc, pytest.raises(UnreachableError, match="nothing answers there"):
        rpc.in_order([("eth_chainId", [])] * 2)
