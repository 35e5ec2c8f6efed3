"""Withdrawals on a real chain: asked for, waited for, executed, and no call unpaid for it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sim.auditing import audit_record, audit_saved
from sim.chain import Rpc, Settler, audit, endowing, load_deployment, replay
from sim.chain.accounts import AccountKind, account
from sim.chain.answers import Log
from sim.chain.began import load_began
from sim.chain.beside import Withdrawn
from sim.chain.blocks import ForeignBlocks
from sim.chain.contracts import contract, integers
from sim.chain.funding import vault_of
from sim.chain.node import CHAIN_ID
from sim.chain.sender import Sender
from sim.chain.settlement import GENESIS_UNIX, Audit, AuditRecord
from sim.chain.transactions import NAME, TransactionReader, TransactionWriter
from sim.facts import Batch, ChainError, ToolError
from sim.runner import Run, resume, run
from sim.scenario import Scenario
from sim.units import US_PER_HOUR, US_PER_S
from tests.auctions import bidders, seller
from tests.chain_helpers import anvil, until
from tests.scenarios_for_tests import CHAT, demand, group, model, scenario

pytestmark = pytest.mark.chain


def withdrawing(kind: str = "batch", timelock_h: float = 4.0, **rail: object) -> Scenario:
    """Three agents that take back at the second hour all but two dollars; two that do not."""
    rule = {"every_h": 2, "keep_usd": 2}
    groups = {
        "a": group(20, count=3, budget_usd=8, withdrawal=rule),
        "b": group(20, count=2, budget_usd=20),
    }
    terms = {"kind": kind, "timelock_h": timelock_h, "size": 50, "interval_s": 600}
    return scenario(
        {"m": model("0.05"), "n": model("0.02")}, groups, horizon_h=8, rail=terms | rail,
        chain={"backend": "anvil"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(withdrawing(), out=tmp_path_factory.mktemp("withdrawals") / "run")


Node = tuple[Rpc, Callable[[AuditRecord], Audit]]


@pytest.fixture(scope="module")
def node(ended: Run) -> Iterator[Node]:
    deployment = load_deployment(ended.directory / "deployment.json")
    with replay(ended.directory) as again, Rpc(again.url) as rpc:
        yield rpc, lambda record: audit(rpc, deployment, record)


def steps(ended: Run, rpc: Rpc, name: str) -> list[Log]:
    vault = vault_of(load_deployment(ended.directory / "deployment.json"), "batch")
    topics = [contract(vault.contract).topic(name)]
    return rpc.logs(vault.place, topics, 0, rpc.block().number)


def test_withdrawals_settle_to_the_micro_and_leave_no_call_unpaid(ended: Run) -> None:
    assert ended.ok, ended.failure
    assert (ended.summary.chain.parity, ended.summary.chain.difference_micros) == (True, 0)
    assert ended.summary.calls.unpaid == 0
    assert ended.summary.groups["a"].withdrawn_micros > 5_000_000


def test_requests_are_mined_when_they_are_made_and_paid_once_the_timelock_is_over(
    ended: Run, node: Node
) -> None:
    rpc, _ = node
    asked, paid = (steps(ended, rpc, name) for name in ("WithdrawRequested", "Withdrawn"))
    assert len(asked) == len(paid) == 3
    at = GENESIS_UNIX + 2 * US_PER_HOUR // US_PER_S
    for one, other in zip(asked, paid, strict=True):
        unlocks = integers(one.data)[1]
        assert at <= rpc.block(one.block).timestamp <= at + 5
        assert unlocks <= rpc.block(other.block).timestamp <= unlocks + 5


def test_the_same_money_moves_without_a_chain(ended: Run, tmp_path: Path) -> None:
    modelled = run(withdrawing(), out=tmp_path / "run", chain="none")
    assert modelled.summary.digest == ended.summary.digest
    assert modelled.transfers.equals(ended.transfers)


def test_a_run_with_withdrawals_replays_to_the_same_head(ended: Run) -> None:
    found = audit_saved(ended.directory)
    assert found.ok, found.faults


@pytest.mark.parametrize("kind", ["batch", "prepaid", "epoch-root"])
def test_calls_admitted_before_are_paid_though_they_settle_after_the_money_has_gone(
    kind: str, tmp_path: Path
) -> None:
    """Settled every six hours at most, while the timelock is one hour."""
    what = withdrawing(kind, 1.0, size=1000, interval_s=6 * 3600)
    found = run(what, out=tmp_path / "run")
    assert found.ok, found.failure
    late = found.calls.filter(group="a").join(found.saved.frames.batches, on="batch")
    gone_us = 3 * US_PER_HOUR
    assert late.filter(late["posted_us"] < gone_us, late["closed_us"] > gone_us).height > 20
    assert found.summary.calls.unpaid == 0
    assert audit_saved(tmp_path / "run").ok


SPOILT: list[tuple[str, Callable[[Withdrawn], Withdrawn]]] = [
    ("micros is", lambda w: replace(w, micros=w.micros + 1)),
    ("agent is", lambda w: replace(w, agent=(w.agent + 1) % 5)),
    ("executed is", lambda w: replace(w, executed=1 - w.executed)),
    ("of the chain are not", lambda w: replace(
        w, agent=w.agent[:-1], executed=w.executed[:-1], micros=w.micros[:-1]
    )),
]  # fmt: skip


@pytest.mark.parametrize(("words", "spoil"), SPOILT)
def test_a_withdrawal_recorded_otherwise_than_made_is_found(
    ended: Run, node: Node, words: str, spoil: Callable[[Withdrawn], Withdrawn]
) -> None:
    record, (_, audited) = audit_record(ended.saved), node
    assert record.withdrawn is not None
    assert audited(record).parity
    found = audited(replace(record, withdrawn=spoil(record.withdrawn)))
    assert not found.parity
    assert any(words in fault for fault in found.faults)


@pytest.mark.parametrize("kept", range(24, 40, 4))
def test_a_chain_that_ends_between_two_steps_goes_on_from_there(
    ended: Run, tmp_path: Path, kept: int
) -> None:
    for file in ended.directory.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    whole = (tmp_path / NAME).read_bytes()
    writer = TransactionWriter(tmp_path, TransactionReader(tmp_path).genesis, goes_on=True)
    writer.keep(kept)
    writer.close()
    again = resume(tmp_path)
    assert again.ok, again.failure
    assert (tmp_path / NAME).read_bytes() == whole


def test_slashes_and_withdrawals_take_their_turns(tmp_path: Path) -> None:
    """Agents take back what slashes bring them, again and again."""
    models = {
        f"m{n}": seller("0.05", 20, quality={CHAT: 0.3}, declared_quality={CHAT: 0.5 - n / 20})
        for n in range(3)
    }
    agents = bidders(
        3, budget_usd=20, intents={CHAT: demand()}, values={"kind": "fixed"}, deadline_s=60,
        arrival={"kind": "poisson", "per_hour": 60}, withdrawal={"every_h": 1, "keep_usd": 10},
    )  # fmt: skip
    what = scenario(
        models, {"a": agents}, horizon_h=8, chain={"backend": "anvil"},
        mechanism={"kind": "execution-contingent", "bond_usd": 1000},
        rail={"kind": "batch", "interval_s": 900, "timelock_h": 1.5},
    )  # fmt: skip
    found = run(what, out=tmp_path / "run")
    assert found.ok, found.failure
    assert found.saved.frames.withdrawals.filter("executed").height >= 6
    assert (found.calls["slash_micros"] > 0).sum() > 20
    assert found.summary.calls.unpaid == 0
    assert audit_saved(tmp_path / "run").ok


# -- On a node of the user's -----------------------------------------------------------------------


def test_a_node_with_a_clock_of_its_own_refuses_withdrawals_and_says_why(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"hours of the clock of .*8545, which only --warp"):
        run(withdrawing(), out=tmp_path / "run", chain="http://127.0.0.1:8545")


def test_an_anvil_of_the_users_that_is_warped_has_them_made(ended: Run, tmp_path: Path) -> None:
    """Agents have no ETH there: the router gives them what their transactions take."""
    with anvil() as url, Rpc(url) as rpc:
        found = run(withdrawing(), out=tmp_path / "run", chain=url, warp=True)
        assert found.ok, found.failure
        assert found.summary.digest == ended.summary.digest
        assert (found.summary.chain.parity, found.summary.calls.unpaid) == (True, 0)
        began = load_began(tmp_path / "run")
        assert began is not None
        assert began.zero_unix is not None
        asked, paid = (steps(found, rpc, name) for name in ("WithdrawRequested", "Withdrawn"))
        assert len(asked) == len(paid) == 3
        two_hours = began.zero_unix + 2 * US_PER_HOUR // US_PER_S
        assert all(0 <= rpc.block(one.block).timestamp - two_hours <= 10 for one in asked)
        for one, other in zip(asked, paid, strict=True):
            assert 0 <= rpc.block(other.block).timestamp - integers(one.data)[1] <= 10
        blocks = rpc.block().number
        again = resume(tmp_path / "run")
        assert again.ok, again.failure
        assert rpc.block().number == blocks


@pytest.mark.parametrize("lost", [3, 8, 13])
def test_a_run_that_broke_off_there_takes_nothing_back_twice(
    lost: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Settler.send

    def break_off(self: Settler, batch: Batch) -> None:
        if batch.number == lost:
            until(lambda: self.settled == batch.first)
            raise ChainError("out of reach")
        send(self, batch)

    with anvil() as url, Rpc(url) as rpc:
        with monkeypatch.context() as patch:
            patch.setattr(Settler, "send", break_off)
            cut = run(withdrawing(), out=tmp_path / "run", chain=url, warp=True)
        assert not cut.ok
        again = resume(tmp_path / "run")
        assert again.ok, again.failure
        assert len(steps(again, rpc, "Withdrawn")) == 3
        found = audit_saved(tmp_path / "run")
        assert (found.faults, found.difference_micros) == ((), 0)


def test_a_router_without_the_ether_for_it_says_how_much_it_needs() -> None:
    poor = account(AccountKind.OPERATOR, 50)
    with anvil() as url, Rpc(url) as rpc:
        blocks = ForeignBlocks(rpc, Sender(rpc, poor, CHAIN_ID, free=False), warp=True)
        with pytest.raises(ChainError, match=r"has 0 wei .* needed more than 5 .* money back"):
            endowing.endow(blocks, {poor.address: 5}, 0, "agents take money back")
