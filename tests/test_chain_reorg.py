"""Chains that take blocks back, lose answers, answer nonsense or never mine, in mid-run."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from sim.chain import ChainSetup, Rpc, Served, Settlement, Settler, replay, serve
from sim.chain import blocks as chain_blocks
from sim.chain.accounts import ROUTER_INDEX, AccountKind, account
from sim.chain.blocks import ForeignBlocks, OwnBlocks, ReorganisedError
from sim.chain.node import CHAIN_ID, Node, mine, revert, snapshot
from sim.chain.reorganised import go_back
from sim.chain.sender import Sender
from sim.chain.settlement import GENESIS_UNIX
from sim.facts import Batch, ChainError
from sim.rails import RAILS, Rail
from tests.chain_helpers import (
    FEE_BPS,
    audit_at,
    audited,
    batches,
    forwarding,
    losing,
    of_run,
    record,
    server,
    settled,
    setup,
    until,
)

pytestmark = pytest.mark.chain
MADE = batches([20, 7, 15, 20, 9, 30, 5, 12])


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve(fee_bps=FEE_BPS) as node:
        yield node


def at_once(rpc: Rpc, start: str) -> None:
    """A reorganisation while the settler goes on: this Anvil may be mining as it comes."""
    revert(rpc, start)


def cut_short(
    run: ChainSetup, after: int, reorganise: Callable[[Rpc, str], None] = at_once
) -> Settlement:
    """Settles the batches; once so many calls are, the chain takes back all since its start."""
    with Settler(run) as settler:
        with Rpc(settler.wait_ready().url) as rpc:
            start = snapshot(rpc)
            for batch in MADE[:5]:
                settler.send(batch)
            until(lambda: settler.settled >= after)
            reorganise(rpc, start)
        for batch in MADE[5:]:
            settler.send(batch)
        found = settler.finish()
        result = audited(found, replace(record(MADE), rail=run.rail.kind))
    assert (result.faults, result.calls_on_chain) == ((), sum(map(len, MADE)))
    return found


@pytest.mark.parametrize("kind", list(RAILS))
def test_what_a_reorganisation_takes_back_is_settled_once_more(kind: str, tmp_path: Path) -> None:
    rail = TypeAdapter[Rail](Rail).validate_python({"kind": kind})
    found = cut_short(replace(setup(tmp_path), rail=rail), after=27)
    assert [row.count for row in found.batches] == [len(batch) for batch in MADE]
    with replay(tmp_path) as again:
        expected = replace(of_run(found, record(MADE)), rail=kind)
        assert again.head == found.head
        assert audit_at(again.url, found.ready.deployment, expected).faults == ()


class Between:
    """Between settler and node: nothing passes while a reorganisation is made.

    Somebody else's chain is reorganised from one block to another. An Anvil that mines as it
    reverts keeps blocks without their parents or their effects, which only its owner could mend.
    """

    def __init__(self, url: str) -> None:
        self._url, self._gate = url, threading.Lock()
        self._pass = forwarding(url, lambda _: False)

    def answer(self, body: bytes) -> tuple[int, bytes]:
        with self._gate:
            return self._pass(body)

    def reorganise(self, _: Rpc, start: str) -> None:
        nothing_waits = {"pending": "0x0", "queued": "0x0"}
        with self._gate, Rpc(self._url) as node:
            until(lambda: node.call("txpool_status") == nothing_waits)
            revert(node, start)


@pytest.mark.parametrize("kind", ["batch", "epoch-root"])
def test_a_foreign_chain_may_take_blocks_back_too(
    served: Served, kind: str, tmp_path: Path
) -> None:
    rail = TypeAdapter[Rail](Rail).validate_python({"kind": kind})
    path = tmp_path / "given.json"
    served.deployment.save(path)
    between = Between(served.url)
    with server(between.answer) as url:
        run = replace(setup(tmp_path), rail=rail, backend=url, deployment=path)
        found = cut_short(run, after=27, reorganise=between.reorganise)
    assert found.calls == sum(map(len, MADE))


def test_a_chain_that_takes_the_runs_accounts_back_is_an_error(tmp_path: Path) -> None:
    with serve(fee_bps=FEE_BPS) as own, Rpc(own.url) as rpc:
        path = tmp_path / "given.json"
        own.deployment.save(path)
        before = snapshot(rpc)
        run = replace(setup(tmp_path), backend=own.url, deployment=path)
        with Settler(run) as settler:
            settler.wait_ready()
            settler.send(MADE[0])
            settler.send(MADE[1])
            until(lambda: settler.settled >= 20)
            revert(rpc, before)
            with pytest.raises(ChainError, match="accounts of the run are not there"):
                settler.finish()


def test_a_block_taken_back_is_named() -> None:
    router = account(AccountKind.OPERATOR, ROUTER_INDEX)
    with Node() as node, Rpc(node.url) as rpc:
        blocks = OwnBlocks(rpc, Sender(rpc, router, CHAIN_ID, free=True), GENESIS_UNIX, None)
        start = snapshot(rpc)
        blocks.submit([blocks.sender.prepare(router.address, b"", 30_000)], 1)
        blocks.stand()
        revert(rpc, start)
        with pytest.raises(ReorganisedError, match="the chain has taken back block 1"):
            blocks.stand()
        blocks.look_again()
        ready = blocks.sender.prepare(router.address, b"", 30_000)
        assert ready.nonce == 0
        blocks.submit([ready], 2)
        blocks.stand()


def test_a_block_that_stands_without_its_effects_is_not_gone_on_from() -> None:
    """The last that chain and file have in common, with none before it to mine it anew from."""
    router = account(AccountKind.OPERATOR, ROUTER_INDEX)
    with Node() as node, Rpc(node.url) as rpc:
        blocks = OwnBlocks(rpc, Sender(rpc, router, CHAIN_ID, free=True), GENESIS_UNIX, None)
        blocks.submit([blocks.sender.prepare(router.address, b"", 30_000)], 1)
        assert go_back(rpc, [rpc.block()], []) == rpc.block()
        rpc.call("anvil_setNonce", router.address, "0x0")
        with pytest.raises(ChainError, match="block 1 could not be mined again as it was"):
            go_back(rpc, [rpc.block()], [])


# -- No receipt, no answer, no sense ---------------------------------------------------------------


def test_a_transaction_that_is_never_mined_is_an_error_and_may_land_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chain_blocks, "MINED_TIMEOUT_S", 0.3)
    router = account(AccountKind.OPERATOR, ROUTER_INDEX)
    with Node() as node, Rpc(node.url) as rpc:
        sender = Sender(rpc, router, CHAIN_ID, free=True)
        blocks = ForeignBlocks(rpc, sender, warp=False)
        ready = [sender.prepare(router.address, b"", 30_000)]
        with pytest.raises(ChainError, match=r"transaction 0 of .* is not mined after 0.3 s"):
            blocks.submit(ready, 0)
        mine(rpc, GENESIS_UNIX)
        sender.send(ready)  # found to have landed, and not sent again
        assert sender.landed("pending") == 1


@pytest.mark.parametrize("method", [b"eth_getLogs", b"eth_sendRawTransaction"])
def test_one_lost_answer_ends_nothing(method: bytes, served: Served, tmp_path: Path) -> None:
    lose, lost = losing(method, 1)
    with (
        server(forwarding(served.url, lose)) as url,
        settled(MADE[:3], replace(setup(tmp_path), backend=url)) as found,
    ):
        result = audited(found, record(MADE[:3]))
    assert len(lost) == 1
    assert (result.faults, result.calls_on_chain) == ((), 42)


GARBAGE = [
    (b"<html>busy</html>", "does not speak JSON-RPC"),
    (json.dumps({"jsonrpc": "2.0", "id": 1, "result": "0xzz"}).encode(), "sent|answered request 1"),
    (b"[]", "sent"),
]


@pytest.mark.parametrize(("garbage", "complaint"), GARBAGE)
def test_garbage_is_an_error_and_what_was_settled_is_known(
    garbage: bytes, complaint: str, served: Served, tmp_path: Path
) -> None:
    """The node turns bad once a batch is settled; nothing of it is lost, and none of it is new."""
    settling = itertools.count()
    good = forwarding(served.url, lambda _: False)
    bad: list[bool] = []

    def answer(body: bytes) -> tuple[int, bytes]:
        if bad:
            return 200, garbage
        if b"eth_getLogs" in body and next(settling) == 1:
            bad.append(True)
        return good(body)

    def send_all(settler: Settler, made: list[Batch]) -> None:
        for batch in made:
            settler.send(batch)
        settler.finish()

    with server(answer) as url, Settler(replace(setup(tmp_path), backend=url)) as settler:
        ready = settler.wait_ready()
        with pytest.raises(ChainError, match=complaint):
            send_all(settler, MADE[:4])
        found = settler.settlement_so_far
    assert found is not None
    assert 20 <= found.calls < sum(map(len, MADE[:4]))
    expected = replace(of_run(found, record(MADE[:4])), last_block=None)
    result = audit_at(served.url, ready.deployment, expected)
    assert result.calls_on_chain >= found.calls
    assert (result.unexpected, result.differing) == ((), ())
