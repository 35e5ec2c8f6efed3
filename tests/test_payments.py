"""What others can do to payments: before the run's own, beside them, and while it is away."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.chain import Ready, Rpc, Settler, replay, serve
from sim.chain.accounts import AccountKind, account
from sim.chain.contracts import contract, integer
from sim.chain.node import CHAIN_ID, mine
from sim.chain.rails.exact import payment_nonce
from sim.chain.sender import Sender
from sim.chain.settlement import Resumed
from sim.chain.transactions import leave_blocks
from sim.rails import EscrowJobRail
from tests.chain_helpers import (
    DEPOSIT,
    FEE_BPS,
    audited,
    batches,
    record,
    settled,
    setup,
    spent,
    until,
)
from tests.chain_payers import (
    FRIEND,
    GAS,
    authorized,
    empty,
    give,
    send,
    unpaid_at,
    without_payments_of,
)
from tests.test_rail_family import rail_of

pytestmark = pytest.mark.chain
MADE = batches([20, 15, 20])
ELSEWHERE = ("x402-exact", "prepaid", "batch", "channel", "epoch-root")
GIFT = 1
LEFT = 9_000_000


def place_of(ready: Ready) -> str:
    """The contract that the run's money goes to."""
    places = {"x402-exact": "call_hub", "channel": "call_hub", "epoch-root": "epoch_root"}
    place: str = getattr(ready.deployment, places.get(ready.rail, "call_ledger"))
    return place


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_a_strangers_gift_to_a_contract_is_no_fault_of_the_runs(kind: str, tmp_path: Path) -> None:
    with serve(fee_bps=FEE_BPS) as node:
        node.deployment.save(tmp_path / "deployment.json")
        run = replace(
            setup(tmp_path), rail=rail_of(kind), backend=node.url,
            deployment=tmp_path / "deployment.json",
        )  # fmt: skip
        with Settler(run) as settler:
            ready = settler.wait_ready()
            give(ready, place_of(ready), GIFT)
            for batch in MADE:
                settler.send(batch)
            found = settler.finish()
            result = audited(found, replace(record(MADE), rail=kind))
    assert (found.unpaid, result.faults, result.parity) == ((), (), True)


@pytest.mark.parametrize("nonce", [b"\x07" * 32, b""])
def test_a_payment_of_an_agents_that_is_for_no_call_is_a_fault(
    nonce: bytes, tmp_path: Path
) -> None:
    """Once by a nonce of its own, and once by another agent's for a call that is paid."""
    run = replace(setup(tmp_path), rail=rail_of("x402-exact"))
    with Settler(run) as settler:
        ready = settler.wait_ready()
        for batch in MADE:
            settler.send(batch)
        at = int(np.flatnonzero(MADE[0].charge_micros)[0])
        paid = payment_nonce(ready.first_call + at, MADE[0].answer_hash[at].tobytes())
        agent = (int(MADE[0].agent[at]) + 1) % 5
        with Rpc(ready.url) as rpc:
            data = authorized(ready, agent, ready.deployment.call_hub, 7, nonce or paid)
            send(rpc, ready.deployment.usdc, data)
        found = settler.finish()
        result = audited(found, replace(record(MADE), rail="x402-exact"))
    assert result.unexpected != ()
    assert "1 payments of the chain are not in the record" in result.faults


def test_an_authorization_that_somebody_else_submits_first_has_paid_its_call(
    tmp_path: Path,
) -> None:
    run = replace(setup(tmp_path), rail=rail_of("x402-exact"))
    with Settler(run) as settler:
        ready = settler.wait_ready()
        first = MADE[0]
        with Rpc(ready.url) as rpc:
            for at in np.flatnonzero(first.charge_micros)[:3].tolist():
                nonce = payment_nonce(ready.first_call + at, first.answer_hash[at].tobytes())
                agent, micros = int(first.agent[at]), int(first.charge_micros[at])
                data = authorized(ready, agent, ready.deployment.call_hub, micros, nonce)
                send(rpc, ready.deployment.usdc, data)
        for batch in MADE:
            settler.send(batch)
        found = settler.finish()
        result = audited(found, replace(record(MADE), rail="x402-exact"))
    assert (found.unpaid, result.faults, result.parity) == ((), (), True)


def test_a_nonce_used_up_for_another_payment_has_not_paid_its_call(tmp_path: Path) -> None:
    """Not even where a hub has money of others: neither to somebody else nor of another sum."""
    run = replace(setup(tmp_path), rail=rail_of("x402-exact"))
    first = MADE[0]
    calls = np.flatnonzero(first.charge_micros)[:2].tolist()
    sums = (int(first.charge_micros[calls[0]]), 0)
    with Settler(run) as settler:
        ready = settler.wait_ready()
        places = (ready.deployment.treasury, ready.deployment.call_hub)
        with Rpc(ready.url) as rpc:
            for at, place, micros in zip(calls, places, sums, strict=True):
                nonce = payment_nonce(ready.first_call + at, first.answer_hash[at].tobytes())
                data = authorized(ready, int(first.agent[at]), place, micros, nonce)
                send(rpc, ready.deployment.usdc, data)
            data = authorized(ready, 4, ready.deployment.call_hub, LEFT, bytes(32))
            send(rpc, ready.deployment.usdc, data)
        for batch in MADE:
            settler.send(batch)
        found = settler.finish()
        with Rpc(ready.url) as rpc:
            view = contract("CallHub").call("unsplit")
            assert integer(rpc.view(ready.deployment.call_hub, view)) == LEFT
    assert found.unpaid == tuple(ready.first_call + at for at in calls)


@pytest.mark.parametrize("kind", ["transfer", "x402-exact"])
def test_payments_that_came_in_before_a_kill_and_were_not_split_are_not_made_again(
    kind: str, tmp_path: Path
) -> None:
    """The chain ends with the last payments: an emptied payer has made their split fail."""
    run = replace(setup(tmp_path), rail=rail_of(kind))
    with Settler(run) as settler:
        ready = settler.wait_ready()
        empty(ready, agent=1)
        for batch in MADE:
            settler.send(batch)
        whole = settler.finish()
    leave_blocks(tmp_path, [batch.block for batch in whole.batches if batch.unpaid][-1] - 1)
    resumed = replace(run, resumed=Resumed(ready.first_call, ready.first_block))
    with settled(MADE, resumed) as found:
        result = audited(found, without_payments_of(1, kind, MADE))
    assert found.unpaid == whole.unpaid != ()
    assert (result.faults, result.difference_micros) == ((), 0)


def test_a_payer_of_channels_that_has_money_again_pays_again(tmp_path: Path) -> None:
    """What a channel was to be filled with, and was not, is not taken for there."""
    run = replace(setup(tmp_path), rail=rail_of("channel"))
    with Settler(run) as settler:
        ready = settler.wait_ready()
        empty(ready, agent=1)
        settler.send(MADE[0])
        until(lambda: settler.settled == len(MADE[0]))
        give(ready, account(AccountKind.AGENT, 1).address, 40_000_000_000)
        for batch in MADE[1:]:
            settler.send(batch)
        found = settler.finish()
        of_first = np.arange(sum(map(len, MADE))) < len(MADE[0])
        true = replace(record(MADE), rail="channel")
        unpaid = of_first & (true.agent == 1) & (true.charge_micros > 0)
        expected = unpaid_at(true, unpaid)
        expected.agent_balance_micros[1] -= 10_000_000_000
        result = audited(found, expected)
    assert found.unpaid == tuple(np.flatnonzero(unpaid).tolist()) != ()
    assert (result.faults, result.difference_micros) == ((), 0)


def test_jobs_that_a_kill_left_open_are_delivered_and_released(tmp_path: Path) -> None:
    """The chain ends where the last batch's jobs are open: a resumed run ends each of them."""
    run = replace(setup(tmp_path), rail=rail_of("escrow-job"))
    with settled(MADE, run) as whole:
        ready = whole.ready
    leave_blocks(tmp_path, whole.batches[-1].block - 1)
    resumed = replace(run, resumed=Resumed(ready.first_call, ready.first_block))
    with settled(MADE, resumed) as found:
        result = audited(found, replace(record(MADE), rail="escrow-job"))
    assert (found.calls, found.unpaid) == (whole.calls, ())
    assert (result.faults, result.difference_micros) == ((), 0)


def test_a_job_that_nobody_ends_gives_its_budget_back_after_its_lifetime(tmp_path: Path) -> None:
    """The run is gone with the last batch's jobs open; then a stranger ends each of them."""
    run = replace(setup(tmp_path), rail=EscrowJobRail(lifetime_h=0.5))
    with settled(MADE, run) as whole:
        deployment = whole.ready.deployment
    leave_blocks(tmp_path, whole.batches[-1].block - 1)
    escrow, token = contract("JobEscrow"), contract("USDC")
    wallets = [token.call("balanceOf", account(AccountKind.AGENT, at).address) for at in range(5)]
    before = DEPOSIT - spent(MADE[:-1], 5)
    with replay(tmp_path) as again, Rpc(again.url) as rpc:
        opened = rpc.block().timestamp
        stranger = Sender(rpc, account(AccountKind.OPERATOR, FRIEND), CHAIN_ID, free=True)

        def end_all(timestamp: int) -> list[bool]:
            jobs = range(sum(map(len, MADE[:-1])), sum(map(len, MADE)))
            ends = [
                stranger.prepare(deployment.job_escrow, escrow.call("expire", job), GAS)
                for job in jobs
            ]
            stranger.send(ends)
            mine(rpc, timestamp)
            return [receipt.ok for receipt in rpc.receipts([one.hash for one in ends])]

        assert not any(end_all(opened + 1_790))
        locked = np.zeros(5, np.int64)
        np.add.at(locked, MADE[-1].agent, MADE[-1].quote_micros)
        held = [integer(answer) for answer in rpc.views(deployment.usdc, wallets)]
        assert held == (before - locked).tolist()
        assert all(end_all(opened + 1_803 + 2))
        held = [integer(answer) for answer in rpc.views(deployment.usdc, wallets)]
        assert held == before.tolist()


def test_jobs_outlive_blocks_that_run_ahead_of_the_market(tmp_path: Path) -> None:
    """Forty batches of one instant take eighty seconds of the chain's, of a life of thirty-six."""
    run = replace(setup(tmp_path), rail=EscrowJobRail(lifetime_h=0.01))
    with settled(batches([2] * 40, gap_us=0), run) as found:
        assert (found.calls, found.unpaid) == (80, ())
        assert found.batches[-1].timestamp - found.batches[0].timestamp > 70
