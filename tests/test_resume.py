"""A run whose node is lost goes on: the rest is settled, and nothing twice."""

import os
import signal
from pathlib import Path

import polars as pl
import pytest

import sim
from sim import runner
from sim.auditing import audit_saved
from sim.chain import Settler
from sim.chain.transactions import NAME
from sim.cli import main
from sim.facts import Batch, ScenarioError
from sim.rails import RAILS
from sim.runner import Run, resume
from tests.chain_helpers import until

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
