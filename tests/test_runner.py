"""Whole runs: what an interruption, a full disk or a falsified record leaves behind."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import sim
from sim.auditing import audit_saved
from sim.chain import Settlement, Settler
from sim.runner import run
from tests.scenarios_for_tests import group, model, scenario

MANY = scenario({"m": model()}, {"a": group(per_hour=3600)}, tasks=4000)


def interrupted(settler: Settler) -> Settlement:
    """What `Settler.finish` does when Ctrl-C comes before all is settled."""
    del settler
    raise KeyboardInterrupt


@pytest.mark.chain
def test_an_interrupted_settlement_leaves_a_run_that_audits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settler, "finish", interrupted)
    ended = run(MANY, out=tmp_path / "run", chain="anvil")
    monkeypatch.undo()
    assert ended.interrupted
    assert ended.failure is None, ended.failure
    assert ended.summary.chain.calls_settled < ended.summary.calls.settled
    assert ended.summary.laws["parity"].ok
    audited = audit_saved(ended.directory)
    assert audited.ok, audited.faults
    assert audited.calls_on_chain == ended.summary.chain.calls_settled


@pytest.mark.chain
def test_an_audit_derives_the_record_again(tmp_path: Path) -> None:
    ended = run("hello-market", set={"tasks": 300}, out=tmp_path / "run")
    assert audit_saved(ended.directory).ok
    path = ended.directory / "calls.parquet"
    pl.read_parquet(path).with_columns(pl.col("output_tokens") * 3).write_parquet(path)
    audited = audit_saved(ended.directory)
    assert not audited.ok
    assert any("answer hash" in fault for fault in audited.faults)
    assert any("digest" in fault for fault in audited.faults)


def test_a_full_disk_is_a_plain_error() -> None:
    arguments = [sys.executable, "-m", "sim", "run", "hello-market", "--chain", "none", "--out"]
    script = 'd=$(mktemp -d); ulimit -f 40; exec "$@" "$d/run"'
    ended = subprocess.run(
        ["bash", "-c", script, "sh", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 2, ended.stderr
    assert "cannot write the record" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.chain
def test_a_chain_that_never_stands_leaves_the_users_directory(tmp_path: Path) -> None:
    mine, new = tmp_path / "mine", tmp_path / "new"
    mine.mkdir()
    for out in (mine, new):
        with pytest.raises(sim.ChainError):
            run(MANY, out=out, chain="http://127.0.0.1:1")
    assert mine.is_dir()
    assert not new.exists()


def test_the_library_runs_a_scenario_by_name(tmp_path: Path) -> None:
    ended = sim.run("hello-market", set={"tasks": 50}, seed=3, out=tmp_path / "run", chain="none")
    assert ended.summary.tasks.posted == len(ended.tasks) == 50
    assert ended.summary.seed == 3
    assert len(ended.calls) == ended.summary.calls.made


def test_a_pool_whose_affordable_model_is_full_is_overloaded(tmp_path: Path) -> None:
    models = {"cheap": model("0.001", capacity={"slots": 1, "queue": 0}), "dear": model("9")}
    what = scenario(models, {"a": group(per_hour=7200)}, tasks=1000)
    ended = run(what, out=tmp_path / "run", chain="none")
    reasons = ended.tasks["reason"].cast(pl.String).value_counts()
    assert "no_capacity" in reasons["reason"]
    assert "max_price" not in reasons["reason"]
    assert ended.summary.stability.verdict == "overloaded"
