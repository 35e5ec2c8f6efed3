"""A run whose node is lost goes on: the rest is settled, and nothing twice."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import polars as pl
import pytest

import sim
from sim import runner
from sim.auditing import Place, audit_saved, begin
from sim.chain import AuditRecord, ChainSetup, Settlement, Settler, load_deployment
from sim.chain.began import load_began
from sim.chain.settlement import Resumed
from sim.chain.transactions import NAME, leave_blocks
from sim.cli import main
from sim.facts import Batch, ScenarioError
from sim.rails import RAILS, rail_like
from sim.record.begun import BEGUN
from sim.runner import Run, resume
from sim.scenario import load
from tests.chain_helpers import (
    DEPOSIT,
    audited,
    batches,
    record,
    settled,
    setup,
    until,
)
from tests.test_chain_protocol import ruled

pytestmark = pytest.mark.chain
SHIPPED = Path(__file__).parents[1] / "scenarios" / "hello-market.yaml"
KILLED_AT = 5
SMALL = {"tasks": 150, "rail.size": 20, "rail.interval_s": 60}


def lost(directory: Path, monkeypatch: pytest.MonkeyPatch, kind: str, after: int) -> Run:
    """A run whose node is killed once so many calls are known to be settled."""
    send = Settler.send

    def send_and_kill(self: Settler, batch: Batch) -> None:
        send(self, batch)
        pid = self.wait_ready().node_pid
        assert pid is not None
        if batch.number == KILLED_AT:
            until(lambda: self.settled >= after)
            os.kill(pid, signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(Settler, "send", send_and_kill)
        return runner.run(SHIPPED, set={**SMALL, "rail.kind": kind}, out=directory)


@pytest.mark.parametrize("kind", list(RAILS))
def test_a_run_whose_node_died_goes_on_where_its_chain_ends(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sim.run(SHIPPED, set={**SMALL, "rail.kind": kind}, chain="none", out=tmp_path / "whole")
    cut = lost(tmp_path / "run", monkeypatch, kind, after=30)
    settled = cut.summary.chain.calls_settled
    assert not cut.ok
    assert 30 <= settled < whole.summary.calls.settled
    again = resume(tmp_path / "run")
    assert again.ok
    assert again.summary.digest == whole.summary.digest
    chain = again.summary.chain
    assert chain.calls_settled == whole.summary.calls.settled
    assert again.summary.laws["parity"].ok
    audited = audit_saved(tmp_path / "run")
    assert (audited.faults, audited.difference_micros) == ((), 0)


def test_what_landed_unheard_is_found_and_not_sent_again(tmp_path: Path) -> None:
    """Killed between send and receipt: the block is on disk, its receipt never came."""
    run = sim.run(SHIPPED, set=SMALL, out=tmp_path / "run")
    full = run.summary.chain
    kept = tmp_path / "run" / NAME
    before = kept.read_bytes()
    again = resume(tmp_path / "run")
    assert again.ok
    assert kept.read_bytes() == before
    assert again.summary.chain.head == full.head
    assert again.summary.chain.gas_total == full.gas_total
    assert again.summary.chain.transactions == full.transactions
    assert again.saved.frames.batches.equals(run.saved.frames.batches)


def test_a_file_cut_short_by_a_crash_goes_on_from_its_last_whole_block(tmp_path: Path) -> None:
    run = sim.run(SHIPPED, set=SMALL, out=tmp_path / "run")
    path = tmp_path / "run" / NAME
    path.write_bytes(path.read_bytes()[:-700])
    assert not audit_saved(tmp_path / "run").ok
    again = resume(tmp_path / "run")
    assert again.ok
    assert again.summary.chain.head == run.summary.chain.head
    assert again.summary.chain.calls_settled == run.summary.chain.calls_settled


def test_the_command_goes_on_and_says_how_it_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = lost(tmp_path / "run", monkeypatch, "batch", after=30)
    assert not cut.ok
    assert main(["resume", str(tmp_path / "run")]) == 0
    assert "yes, account by account" in capsys.readouterr().err
    calls = pl.read_parquet(tmp_path / "run" / "calls.parquet")
    assert calls["settled_id"].drop_nulls().is_unique().all()


# -- Unpaid calls ----------------------------------------------------------------------------------

MADE = batches([20, 15, 20])
POOR, POOR_DEPOSIT = 1, 180_000


def poor_setup(directory: Path, kind: str) -> ChainSetup:
    """A setup in which one agent's money is for a few calls only."""
    run = setup(directory)
    poor = replace(run.agents[POOR], deposit_micros=POOR_DEPOSIT)
    buyers = (*run.agents[:POOR], poor, *run.agents[POOR + 1 :])
    return replace(run, agents=buyers, rail=rail_like(run.rail, kind))


def told(found: Settlement) -> list[tuple[int, ...]]:
    """What a settlement says of money, call by call where calls were unpaid."""
    return [(r.first, r.count, r.total_micros, r.fees_micros, *r.unpaid) for r in found.batches]


@pytest.mark.parametrize("kind", list(RAILS))
def test_a_run_with_unpaid_calls_goes_on_and_knows_which_they_were(
    kind: str, tmp_path: Path
) -> None:
    run = poor_setup(tmp_path, kind)
    with settled(MADE[:2], run) as begun:
        ready = begun.ready
    assert begun.unpaid
    resumed = replace(run, resumed=Resumed(ready.first_call, ready.first_block))
    with settled(MADE, resumed) as found:
        assert told(found)[:2] == told(begun)
        assert found.calls == sum(map(len, MADE))
        assert audited(found, unpaid_record(MADE, found, kind)).faults == ()


def unpaid_record(made: list[Batch], found: Settlement, kind: str) -> AuditRecord:
    """What a run records of these batches, given which of their calls were unpaid."""
    unpaid = np.zeros(sum(map(len, made)), np.bool_)
    unpaid[list(found.unpaid)] = True
    rows = [unpaid[one.first : one.first + len(one)] for one in made]
    paid = [
        replace(one, charge_micros=np.where(row, 0, one.charge_micros),
                fee_micros=np.where(row, 0, one.fee_micros))
        for one, row in zip(made, rows, strict=True)
    ]  # fmt: skip
    whole = replace(record(paid), rail=kind, unpaid=unpaid)
    balances = whole.agent_balance_micros.copy()
    balances[POOR] += POOR_DEPOSIT - DEPOSIT
    return replace(whole, agent_balance_micros=balances)


# -- A protocol's acts -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ruled_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return runner.run(ruled(), out=tmp_path_factory.mktemp("ruled") / "run")


def copied(run: Run, directory: Path) -> Path:
    """The directory of a run, once more."""
    shutil.copytree(run.directory, directory)
    return directory


def test_a_finished_run_with_a_protocol_does_its_acts_once(ruled_run: Run, tmp_path: Path) -> None:
    directory = copied(ruled_run, tmp_path / "run")
    again = resume(directory)
    assert again.ok, again.failure
    assert again.summary.chain.head == ruled_run.summary.chain.head
    assert audit_saved(directory).ok


def test_acts_that_a_kill_has_cut_short_are_done_from_their_first(
    ruled_run: Run, tmp_path: Path
) -> None:
    """Killed in the midst of them: some are on the chain, and deployment.json names none."""
    directory = copied(ruled_run, tmp_path / "run")
    path = directory / "deployment.json"
    load_deployment(path).without_telegraph().save(path)
    began = load_began(directory)
    assert began is not None
    assert began.acts_block is not None
    leave_blocks(directory, began.acts_block + 1)
    again = resume(directory)
    assert again.ok, again.failure
    assert again.summary.chain.head == ruled_run.summary.chain.head
    assert audit_saved(directory).ok


# -- The run itself is killed ----------------------------------------------------------------------

KILLED = {"rail.size": 10, "rail.interval_s": 30, "tasks": 400}


@pytest.fixture(scope="module")
def unkilled(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return runner.run(SHIPPED, set=KILLED, out=tmp_path_factory.mktemp("unkilled") / "run")


def killed(directory: Path, at: int) -> None:
    """A run that ends by a signal nobody can catch, once its transaction file has that size."""
    named = [part for item in KILLED.items() for part in ("--set", "{}={}".format(*item))]
    telex = [sys.executable, "-c", "from sim.cli import main; main()"]
    command = [*telex, "run", str(SHIPPED), *named, "--out", str(directory)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        path = directory / NAME
        until(lambda: process.poll() is not None or (path.exists() and path.stat().st_size >= at))
        process.kill()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_run_killed_anywhere_goes_on_to_the_same_end(
    share: float, unkilled: Run, tmp_path: Path
) -> None:
    directory, random = tmp_path / "run", Random(time.time_ns())
    size = (unkilled.directory / NAME).stat().st_size
    at = int(size * min(1.0, share + 0.1 * random.random()))
    killed(directory, at)
    again = resume(directory)
    assert again.ok, (at, again.failure)
    assert again.summary.digest == unkilled.summary.digest
    assert again.summary.chain.calls_settled == unkilled.summary.chain.calls_settled
    found = audit_saved(directory)
    assert (found.faults, found.difference_micros) == ((), 0), at
    assert not (directory / BEGUN).exists()


def test_a_run_without_a_chain_cannot_go_on(tmp_path: Path) -> None:
    sim.run(SHIPPED, set={"tasks": 5}, chain="none", out=tmp_path / "run")
    with pytest.raises(ScenarioError, match="a run without a chain"):
        resume(tmp_path / "run")


def test_what_cannot_go_on_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = sim.run(SHIPPED, set={"tasks": 20}, out=tmp_path / "run")
    files = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    monkeypatch.setenv("TELEX_ANVIL", "no-such-program")
    assert main(["resume", str(tmp_path / "run")]) == 2
    assert "no-such-program" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == files
    assert run.ok


def test_a_run_killed_before_its_chain_stood_can_be_tried_as_often_as_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(load(SHIPPED, {"tasks": 20}), Place("anvil"), tmp_path)
    with monkeypatch.context() as patch:
        patch.setenv("TELEX_ANVIL", "no-such-program")
        for _ in range(2):
            assert main(["resume", str(tmp_path)]) == 2
            assert "no-such-program" in capsys.readouterr().err
    again = resume(tmp_path)
    assert again.ok, again.failure
