"""What goes wrong while a run settles: each fault is caused for real, on a real node."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.chain import (
    Rpc,
    Served,
    Settler,
    replay,
    serve,
)
from sim.chain.accounts import ROUTER_INDEX, AccountKind, account
from sim.chain.blocks import OwnBlocks, Span
from sim.chain.node import CHAIN_ID, Node
from sim.chain.sender import Sender
from sim.chain.settlement import GENESIS_UNIX, Resumed
from sim.facts import Batch, ChainError
from sim.rails import ACCOUNT_RAILS
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
from tests.test_rail_family import rail_of

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve(fee_bps=FEE_BPS) as node:
        yield node


def gone(pid: int, within_s: float = 5.0) -> bool:
    """Whether a process ends in time (a zombie has ended)."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def send_all(settler: Settler, made: list[Batch], pause_s: float = 0.0) -> None:
    for batch in made:
        settler.send(batch)
        time.sleep(pause_s)


# -- The node dies ---------------------------------------------------------------------------------


def test_a_node_killed_mid_run_is_noticed_and_what_was_settled_is_known(tmp_path: Path) -> None:
    made = batches([20] * 150)
    with Settler(setup(tmp_path)) as settler:
        pid = settler.wait_ready().node_pid
        assert pid is not None
        for batch in made[:20]:
            settler.send(batch)
        until(lambda: settler.settled >= 200)
        os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        with pytest.raises(ChainError, match="the node died"):
            send_all(settler, made[20:], pause_s=0.01)
        assert time.monotonic() - killed < 4
        found = settler.settlement_so_far
    assert found is not None
    assert 200 <= found.calls < 3_000
    with replay(tmp_path) as again:
        expected = replace(of_run(found, record(made)), last_block=None)
        result = audit_at(again.url, found.ready.deployment, expected)
    assert found.calls <= result.calls_on_chain <= found.calls + 20
    calls = [int(call) for call in record(made).call_id]
    assert result.missing == tuple(calls[result.calls_on_chain :])
    assert not result.parity
    assert result.unexpected == result.differing == ()


def test_a_node_killed_while_nothing_happens_is_noticed_too(tmp_path: Path) -> None:
    with Settler(setup(tmp_path)) as settler:
        pid = settler.wait_ready().node_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ChainError, match="the node died"):
            settler.finish()


PARENT = """
import sys, time
from pathlib import Path
from sim.chain import Settler
from tests.chain_helpers import setup
with Settler(setup(Path(sys.argv[1]))) as settler:
    print(settler.wait_ready().node_pid, settler._process.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("victim", ["parent", "both"])
def test_no_node_is_left_when_its_owners_are_killed(tmp_path: Path, victim: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        node, settler = map(int, parent.stdout.readline().split())
        if victim == "both":
            os.kill(settler, signal.SIGKILL)
        os.kill(parent.pid, signal.SIGKILL)
        assert gone(node)
        assert gone(settler)
        parent.kill()


def test_an_interrupt_reaches_neither_settler_nor_node(tmp_path: Path) -> None:
    made = batches([10, 10])
    with Settler(setup(tmp_path)) as settler:
        settler.wait_ready()
        assert settler._process is not None
        os.kill(settler._process.pid, signal.SIGINT)
        for batch in made:
            settler.send(batch)
        assert settler.finish().calls == 20


def test_a_settler_that_crashes_is_an_error_that_quotes_it(tmp_path: Path) -> None:
    (broken,) = batches([3])
    with Settler(setup(tmp_path)) as settler:
        settler.send(replace(broken, agent=broken.agent + 1_000))
        with pytest.raises(ChainError, match="IndexError"):
            settler.finish()
        with pytest.raises(ChainError, match="IndexError"):
            settler.send(broken)
    with pytest.raises(ChainError, match="not running"):
        Settler(setup(tmp_path)).send(broken)


# -- The contract disagrees ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ACCOUNT_RAILS)
def test_a_call_that_its_mandate_does_not_allow_is_unpaid_and_the_run_goes_on(
    kind: str, tmp_path: Path
) -> None:
    good, bad, next_ = batches([20, 20, 20])
    greedy = replace(bad, quote_micros=bad.quote_micros + 250_001)
    run = replace(setup(tmp_path), rail=rail_of(kind))
    with settled([good, greedy, next_], run) as found:
        asked = 20 + np.flatnonzero(bad.charge_micros)
        assert found.unpaid == tuple(asked.tolist())
        assert [batch.total_micros for batch in found.batches] == [
            good.charge_micros.sum(), 0, next_.charge_micros.sum(),
        ]  # fmt: skip


def test_a_batch_that_the_contract_refuses_is_named_with_the_reason(tmp_path: Path) -> None:
    good, bad = batches([20, 20])
    wrong = replace(bad, charge_micros=bad.quote_micros + 1)
    with Settler(setup(tmp_path)) as settler:
        for batch in (good, wrong):
            settler.send(batch)
        with pytest.raises(ChainError, match=r"batch 1 .* was not settled: ChargeAboveQuote\("):
            settler.finish()


# -- Answers are lost ------------------------------------------------------------------------------


def test_a_lost_answer_never_settles_a_call_twice(served: Served, tmp_path: Path) -> None:
    made = batches([20, 10, 15])
    lose, lost = losing(b"eth_sendRawTransaction", 4)
    with (
        server(forwarding(served.url, lose)) as url,
        settled(made, replace(setup(tmp_path), backend=url)) as found,
    ):
        result = audited(found, record(made))
    assert len(lost) == 4
    assert (result.faults, result.calls_on_chain) == ((), 45)


def test_a_node_that_hangs_is_asked_once_more_and_given_up_and_the_run_can_go_on(
    served: Served, tmp_path: Path
) -> None:
    """The word comes at the first answer that is late, and the end at the second."""
    made, hung, heard = batches([20, 10, 15, 5]), list[bytes](), list[str]()
    forward, over = forwarding(served.url, lambda _: False), threading.Event()

    def answer(body: bytes) -> tuple[int, bytes]:
        if hung or (b"eth_sendRawTransaction" in body and settler.settled >= 20):
            hung.append(body)
            over.wait()
            return 0, b""
        return forward(body)

    with server(answer) as url:
        run = replace(setup(tmp_path), backend=url, timeout_s=1.0)
        with Settler(run, heard.append) as settler:
            ready = settler.wait_ready()
            for batch in made:
                settler.send(batch)
            with pytest.raises(ChainError, match="no answer in time"):
                settler.finish()
        over.set()
    assert len(hung) == 2
    assert heard == [f"the node at {url} cannot be reached: no answer in time; asking again"]
    resumed = Resumed(ready.first_call, ready.first_block)
    with settled(made, replace(run, backend=served.url, resumed=resumed)) as found:
        result = audited(found, record(made))
    assert (result.faults, result.calls_on_chain) == ((), 50)


@pytest.mark.parametrize("method", [b"eth_sendRawTransaction", b"evm_mine"])
def test_a_block_whose_answer_is_lost_is_mined_once(method: bytes) -> None:
    lose, lost = losing(method, 1)
    router = account(AccountKind.OPERATOR, ROUTER_INDEX)
    with Node() as node, server(forwarding(node.url, lose)) as url, Rpc(url) as rpc:
        blocks = OwnBlocks(rpc, Sender(rpc, router, CHAIN_ID, free=True), GENESIS_UNIX, None)
        for number in (1, 2):
            ready = [blocks.sender.prepare(router.address, b"", 30_000)]
            assert blocks.submit(ready, number) == Span(number, number)
            assert rpc.block(number).transactions == (ready[0].hash,)
        assert blocks.sender.landed() == 2
    assert len(lost) == 1


def test_a_slow_chain_makes_the_sender_wait(tmp_path: Path) -> None:
    made = batches([200] * 150)
    with Settler(setup(tmp_path)) as settler:
        pid = settler.wait_ready().node_pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        sending = threading.Thread(target=send_all, args=(settler, made))
        sending.start()
        sending.join(1.0)
        assert sending.is_alive()
        os.kill(pid, signal.SIGCONT)
        sending.join(30.0)
        assert settler.finish().calls == 30_000
