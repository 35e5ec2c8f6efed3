"""Sweeps on a real Dask scheduler with two worker processes, one of them killed midway."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from polars.testing import assert_frame_equal

from sim.experiment.cluster import Cluster
from sim.experiment.store import JOURNAL, read
from sim.facts import ToolError
from tests.experiment_helpers import (
    deadly,
    environment,
    file_of,
    missing,
    started,
    telex,
    wait_for_lines,
)

pytest.importorskip("distributed")
Process = subprocess.Popen[bytes]
QUIET = ("--dashboard-address", "127.0.0.1:0")


def dask(what: str, *arguments: str, cwd: Path) -> Process:
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments, *QUIET],
        cwd=cwd, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def worker(address: str, cwd: Path) -> Process:
    return dask("worker", address, "--nthreads", "1", "--no-nanny", cwd=cwd)


class Scheduler(NamedTuple):
    """A scheduler's process, and where it listens."""

    process: Process
    address: str


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[Scheduler]:
    """A scheduler without workers."""
    file = tmp_path / "scheduler.json"
    where = ("--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    process = dask("scheduler", *where, cwd=tmp_path)
    ends = time.monotonic() + 60
    while not file.exists() or b"address" not in file.read_bytes():
        assert time.monotonic() < ends
        time.sleep(0.05)
    yield Scheduler(process, json.loads(file.read_text())["address"])
    process.terminate()
    process.wait(20)


@pytest.fixture
def workers(scheduler: Scheduler, tmp_path: Path) -> Iterator[list[Process]]:
    """Its two workers."""
    found = [worker(scheduler.address, tmp_path) for _ in range(2)]
    yield found
    for process in found:
        process.kill()
        process.wait(20)


@pytest.mark.timeout(240)
def test_a_sweep_survives_a_worker_that_is_killed(scheduler, workers, tmp_path):
    file = file_of(tmp_path, 1200)
    asked = ("sweep", file, "--param", "models.dear.price.usd_per_call=0.02:0.05:4", "--reps", 4)
    process = started(*asked, "--dask", scheduler.address, "--out", "out", cwd=tmp_path)
    wait_for_lines(tmp_path / "out" / JOURNAL, 3)
    workers[0].kill()
    _, errors = process.communicate(timeout=150)
    assert process.returncode == 0, errors
    assert telex(*asked, "--workers", 1, "--out", "here", cwd=tmp_path).returncode == 0
    ours, theirs = (read(tmp_path / name)[1].drop("wall_s") for name in ("here", "out"))
    assert_frame_equal(ours, theirs)
    assert len(theirs) == 16
    assert theirs["error"].null_count() == 16


def test_an_item_that_kills_every_worker_is_lost_alone(scheduler, tmp_path):
    # More workers than Dask lets one task kill.
    found = [worker(scheduler.address, tmp_path) for _ in range(6)]
    try:
        with Cluster(scheduler.address) as cluster:
            results = dict(cluster.each(deadly, range(2, 6), missing))
        assert results == {2: 4, 3: -3, 4: 16, 5: 25}
    finally:
        for process in found:
            process.kill()
            process.wait(20)


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("workers")
def test_a_scheduler_that_is_killed_ends_the_sweep_and_loses_nothing(scheduler, tmp_path):
    file = file_of(tmp_path, 3000)
    asked = ("sweep", file, "--param", "models.dear.price.usd_per_call=0.02:0.05:4", "--reps", 6)
    process = started(*asked, "--dask", scheduler.address, "--out", "out", cwd=tmp_path)
    wait_for_lines(tmp_path / "out" / JOURNAL, 2)
    scheduler.process.kill()
    _, errors = process.communicate(timeout=150)
    assert process.returncode == 2, errors
    assert "the Dask cluster at" in errors
    assert "was lost" in errors
    assert len(read(tmp_path / "out")[1]) >= 2


def test_a_scheduler_without_workers_is_said(scheduler):
    with (
        pytest.raises(ToolError, match="has no worker"),
        Cluster(scheduler.address, timeout_s=1),
    ):
        pass


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "http://127.0.0.1:9"])
def test_a_scheduler_out_of_reach_is_said_at_once(address):
    before = time.monotonic()
    with pytest.raises(ToolError, match="no Dask scheduler at"), Cluster(address):
        pass
    assert time.monotonic() - before < 10


def test_a_missing_dask_names_the_command_that_gets_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ToolError, match=r"pip install 'telex\[dask\]'"), Cluster("tcp://x:1"):
        pass
