"""Bonds on a real chain: models post them, and what they owe is slashed to the last micro."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sim import runner
from sim.auditing import audit_record, audit_saved
from sim.chain import Rpc, Settler, audit, load_deployment, replay
from sim.chain.beside import Bonded
from sim.chain.node import revert, snapshot
from sim.chain.settlement import Audit, AuditRecord
from sim.chain.transactions import NAME, TransactionReader, TransactionWriter
from sim.facts import Batch, ScenarioError, ToolError
from sim.runner import Run, resume, run
from sim.scenario import Scenario, from_mapping
from sim.units import Int64Array
from tests.auctions import bidders, seller
from tests.chain_helpers import until
from tests.scenarios_for_tests import CHAT, demand, scenario

pytestmark = pytest.mark.chain

LOST = 3


def tender(*, tasks: int = 240, bond_usd: object = 2, **rail: object) -> Scenario:
    """Six agents short of money, and three models that fail often and have small bonds."""
    models = {
        f"m{n}": seller(cost, 20, quality={CHAT: quality}, declared_quality={CHAT: quality})
        for n, (cost, quality) in enumerate([("0.20", 0.6), ("0.10", 0.5), ("0.05", 0.4)])
    }
    agents = bidders(
        6, budget_usd=4, intents={CHAT: demand()}, values={"kind": "fixed"},
        arrival={"kind": "poisson", "per_hour": 600}, deadline_s=60, retries=1,
    )  # fmt: skip
    return scenario(
        models, {"a": agents}, tasks=tasks, horizon_h=None, chain={"backend": "anvil"},
        mechanism={"kind": "execution-contingent", "bond_usd": bond_usd},
        rail={"kind": "batch", "size": 40, "interval_s": 60} | rail,
    )  # fmt: skip


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tender(), out=tmp_path_factory.mktemp("bonds") / "run")


def slashes(of: Run) -> pl.DataFrame:
    return of.calls.filter(pl.col("slash_micros") > 0)


@pytest.mark.parametrize("kind", ["batch", "prepaid", "epoch-root"])
def test_slashes_are_paid_on_chain_by_every_rail_with_accounts(kind: str, tmp_path: Path) -> None:
    found = run(tender(tasks=60, kind=kind), out=tmp_path / "run")
    assert found.ok, found.failure
    assert len(slashes(found)) > 5
    assert (found.summary.chain.parity, found.summary.chain.difference_micros) == (True, 0)
    assert found.summary.calls.unpaid == 0


def test_earnings_are_claimed_for_what_a_bond_no_longer_covers(ended: Run) -> None:
    """Some model owes more than its bond in all, and every agent spends what slashes bring."""
    assert ended.ok, ended.failure
    owed = slashes(ended).group_by("model").agg(pl.col("slash_micros").sum())["slash_micros"]
    assert max(owed) > 2_000_000
    spent = ended.calls.group_by("agent").agg(pl.col("charge_micros").sum())["charge_micros"]
    assert max(spent) > 4_000_000
    assert ended.summary.calls.unpaid == 0


def test_a_run_with_slashes_replays_to_the_same_head(ended: Run) -> None:
    found = audit_saved(ended.directory)
    assert found.ok, found.faults
    assert found.head == found.head_recorded


def test_slashes_that_no_settled_call_follows_are_paid_all_the_same(tmp_path: Path) -> None:
    """More of them than fit into one block."""
    hopeless = seller("0.05", 50, quality={CHAT: 0.000001}, declared_quality={CHAT: 0.5})
    rival = seller("0.05", 50, quality={CHAT: 0.000001}, declared_quality={CHAT: 0.4})
    all_wrong = tender(tasks=350, bond_usd=400)
    models = {"m0": hopeless, "m1": rival}
    found = run(
        from_mapping({**all_wrong.model_dump(mode="json"), "models": models}), out=tmp_path / "run"
    )
    assert found.ok, found.failure
    assert (found.summary.calls.settled, len(slashes(found))) == (0, 700)
    assert audit_saved(tmp_path / "run").ok


def test_slashing_moves_the_same_money_without_a_chain(ended: Run, tmp_path: Path) -> None:
    modelled = run(tender(), out=tmp_path / "run", chain="none")
    assert modelled.summary.digest == ended.summary.digest
    assert modelled.transfers.equals(ended.transfers)


def one_more(column: Int64Array, by: int = 1) -> Int64Array:
    changed = column.copy()
    changed[1] += by
    return changed


SPOILT: list[tuple[str, Callable[[Bonded], Bonded]]] = [
    ("micros is", lambda b: replace(b, micros=one_more(b.micros))),
    ("model is", lambda b: replace(b, model=(b.model + 1) % 3)),
    ("agent is", lambda b: replace(b, agent=(b.agent + 1) % 6)),
    ("of the record are not", lambda b: replace(b, **{
        name: np.append(getattr(b, name), 1) for name in ("call_id", "agent", "model", "micros")
    })),
    ("bond of model 1", lambda b: replace(b, posted_micros=one_more(b.posted_micros))),
]  # fmt: skip


@pytest.fixture(scope="module")
def again(ended: Run) -> Iterator[Callable[[AuditRecord], Audit]]:
    deployment = load_deployment(ended.directory / "deployment.json")
    with replay(ended.directory) as node, Rpc(node.url) as rpc:
        yield lambda record: audit(rpc, deployment, record)


@pytest.mark.parametrize(("words", "spoil"), SPOILT)
def test_a_slash_or_a_bond_recorded_otherwise_than_paid_is_found(
    ended: Run, again: Callable[[AuditRecord], Audit], words: str,
    spoil: Callable[[Bonded], Bonded],
) -> None:  # fmt: skip
    record = audit_record(ended.saved)
    assert record.bonded is not None
    found = again(replace(record, bonded=spoil(record.bonded)))
    assert not found.parity
    assert any(words in fault for fault in found.faults)


@pytest.mark.parametrize("kind", ["batch", "epoch-root"])
def test_a_run_whose_node_died_between_slashes_goes_on_and_slashes_nothing_twice(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(tender(kind=kind, size=15), out=tmp_path / "whole", chain="none")
    send = Settler.send

    def send_and_kill(self: Settler, batch: Batch) -> None:
        send(self, batch)
        pid = self.wait_ready().node_pid
        assert pid is not None
        if batch.number == LOST:
            until(lambda: self.settled >= 15)
            os.kill(pid, signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(Settler, "send", send_and_kill)
        cut = runner.run(tender(kind=kind, size=15), out=tmp_path / "run")
    assert not cut.ok
    going_on = resume(tmp_path / "run")
    assert going_on.ok, going_on.failure
    assert going_on.summary.digest == whole.summary.digest
    found = audit_saved(tmp_path / "run")
    assert (found.faults, found.difference_micros) == ((), 0)


def test_slashes_that_a_reorganisation_takes_back_are_paid_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, starts = Settler.send, []

    def send_and_revert(self: Settler, batch: Batch) -> None:
        with Rpc(self.wait_ready().url) as rpc:
            if batch.number == 0:
                starts.append(snapshot(rpc))
            send(self, batch)
            if batch.number == LOST:
                until(lambda: self.settled >= 15)
                revert(rpc, starts[0])

    with monkeypatch.context() as patch:
        patch.setattr(Settler, "send", send_and_revert)
        found = runner.run(tender(size=15), out=tmp_path / "run")
    assert found.ok, found.failure
    audited = audit_saved(tmp_path / "run")
    assert (audited.faults, audited.difference_micros) == ((), 0)


@pytest.mark.parametrize("lost", [0, 1, 2, 3, 4, 5])
def test_a_chain_that_ends_between_a_slash_and_its_calls_goes_on_from_there(
    ended: Run, tmp_path: Path, lost: int
) -> None:
    """Its last blocks are slashes, calls, slashes, calls, and so on."""
    for file in ended.directory.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / NAME
    whole, blocks = path.read_bytes(), len(list(TransactionReader(tmp_path)))
    writer = TransactionWriter(tmp_path, TransactionReader(tmp_path).genesis, goes_on=True)
    writer.keep(blocks - lost)
    writer.close()
    again = resume(tmp_path)
    assert again.ok, again.failure
    assert path.read_bytes() == whole
    assert again.summary.chain.head == ended.summary.chain.head


@pytest.mark.parametrize("kind", ["transfer", "x402-exact", "escrow-job", "channel"])
def test_rails_without_accounts_refuse_bonds_and_say_why(kind: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=f"rail.kind: found {kind}; .*{kind} keeps none"):
        run(tender(kind=kind), out=tmp_path / "run")


def test_a_node_of_the_users_refuses_bonds_and_says_why(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"no ETH on http://127\.0\.0\.1:8545"):
        run(tender(), out=tmp_path / "run", chain="http://127.0.0.1:8545")
    assert not list((tmp_path / "run").glob("*"))
