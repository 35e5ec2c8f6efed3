"""A run: the same whatever machine, process or block size it has; stopped, it leaves a record."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import world as worlds
from sim.clock import Clock
from sim.facts import Batch, ChainError, LawError
from sim.laws import LAWS
from sim.ledger import Ledger
from sim.models import Endpoint, Pool, outages
from sim.record.archive import load
from sim.runner import run
from sim.units import US_PER_HOUR
from sim.world import Tick, World
from tests.scenarios_for_tests import (
    fates,
    group,
    lively,
    model,
    play,
    ran,
    record,
    scenario,
    task,
    varied,
)

ROOT = Path(__file__).parents[1]
DIGEST = "from tests.scenarios_for_tests import ran, varied; print(ran(varied()).digest)"
DISPATCHED = "import numpy._core._multiarray_umath as core; print(*core.__cpu_dispatch__)"
NO_FMA = "glibc.cpu.hwcaps=-FMA,-FMA4,-FMA_Usable,-AVX2,-AVX2_Usable"


def python(code: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="promised for x86-64 Linux")
def test_the_digest_is_the_same_in_every_process_and_without_fma() -> None:
    features, _ = python(DISPATCHED).communicate()
    children = [
        python(DIGEST, PYTHONHASHSEED="1"),
        python(DIGEST, PYTHONHASHSEED="2"),
        python(DIGEST, GLIBC_TUNABLES=NO_FMA),
        python(DIGEST, NPY_DISABLE_CPU_FEATURES=features.strip()),
        python(DIGEST, GLIBC_TUNABLES=NO_FMA, NPY_DISABLE_CPU_FEATURES=features.strip()),
    ]
    found = [child.communicate(timeout=120)[0].strip() for child in children]
    assert found == [ran(varied()).digest] * 5


def test_without_fma_functions_do_differ() -> None:
    """Else the test above would show nothing; where nothing differs, there is nothing to show."""
    code = "import math, random; r = random.Random(1); print(sum(hash(math.exp(r.gauss(0, 1)))"
    code += " * k for k in range(30000)))"
    plain, _ = python(code).communicate()
    fused, _ = python(code, GLIBC_TUNABLES=NO_FMA).communicate()
    if plain == fused:
        pytest.skip("this machine has no FMA, or its C library takes no tunables")


def test_another_seed_is_another_record() -> None:
    assert len({ran(lively(50, seed)).digest for seed in range(5)}) == 5


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_blocks_change_nothing(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ran(lively(300))
    monkeypatch.setattr(worlds, "BLOCK_ROWS", rows)
    in_blocks = ran(lively(300))
    assert in_blocks.digest == whole.digest
    assert in_blocks.call_us == whole.call_us
    assert in_blocks.transfers.equals(whole.transfers)
    assert in_blocks.batches.equals(whole.batches)
    assert in_blocks.calls.equals(whole.calls)


@pytest.mark.parametrize("rows", [10, 4096])
def test_batches_are_handed_on_as_they_are_recorded(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worlds, "BLOCK_ROWS", rows)
    handed: list[Batch] = []
    world = World(lively(300), handed.append)
    world.run()
    frames = record(world)
    assert [batch.number for batch in handed] == frames.batches["batch"].to_list()
    assert [batch.closed_us for batch in handed] == frames.batches["closed_us"].to_list()
    assert [batch.first for batch in handed] == frames.batches["first_settled_id"].to_list()
    for batch in handed:
        rows_of = frames.calls.filter(frames.calls["batch"] == batch.number).sort("settled_id")
        assert len(batch) == len(rows_of)
        for name in "call_id quote_micros charge_micros fee_micros score_ppm finished_us".split():
            assert getattr(batch, name).tolist() == rows_of[name].to_list()
        for name in ("agent", "model", "intent"):
            assert getattr(batch, name).tolist() == rows_of[name].to_physical().to_list()
        assert [row.tobytes() for row in batch.answer_hash] == rows_of["answer_hash"].to_list()


def test_batches_that_nobody_takes_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "BLOCK_ROWS", 50)
    world = World(lively(300))
    world.run()
    assert len(world._handover) == 0


def test_progress_is_told_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "BLOCK_ROWS", 50)
    ticks: list[Tick] = []
    world = World(lively(300), None, ticks.append)
    world.run()
    frames = record(world)
    assert [tick.calls for tick in ticks[:3]] == [50, 100, 150]
    assert ticks[-1] == Tick(len(frames.calls), 300, frames.duration_us)


def test_a_chain_that_fails_stops_the_run_with_a_consistent_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worlds, "BLOCK_ROWS", 50)
    handed: list[Batch] = []

    def refuse_the_third(batch: Batch) -> None:
        if len(handed) == 3:
            raise ChainError("the node is gone")
        handed.append(batch)

    world = World(lively(2_000), refuse_the_third)
    history = world.run()
    assert isinstance(history.failure, ChainError)
    assert history.interrupted
    frames = record(world)
    assert 0 < len(frames.tasks) < 2_000
    assert frames.tasks["calls"].sum() == len(frames.calls)
    assert [batch.number for batch in handed] == [0, 1, 2]


@pytest.mark.parametrize("tasks", [1, 37, 300])
def test_exactly_so_many_tasks_are_posted_as_asked_for(tasks: int) -> None:
    frames = ran(lively(tasks))
    assert len(frames.tasks) == tasks
    assert (frames.tasks["outcome"] != "open").all()
    assert (frames.calls["status"] != "in_flight").all()


def test_at_the_horizon_arrivals_stop_and_what_is_under_way_ends() -> None:
    hour = scenario(groups={"a": group(1)}, horizon_h=1)
    frames = record(play(hour, [task(3599.999999), task(3600)]))
    assert fates(frames) == ["0 1 succeeded none 3601"]
    assert frames.duration_us == 3_600_999_999


# Runs and their directories --------------------------------------------------------------------


def test_a_run_keeps_every_law_and_its_directory_is_read_again(tmp_path: Path) -> None:
    ended = run(lively(300), out=tmp_path, chain="none")
    assert ended.ok
    assert list(ended.summary.laws) == list(LAWS)
    assert all(law.ok for law in ended.summary.laws.values())
    told = json.loads((tmp_path / "summary.json").read_text())
    assert told["digest"] == load(tmp_path).frames.digest == ran(lively(300)).digest


class Interrupting:
    """Progress that sends this process one SIGINT, at its first report."""

    sent = False

    def say(self, words: str) -> None: ...

    def update(self, *_: object, **__: object) -> None:
        if not self.sent:
            self.sent = True
            os.kill(os.getpid(), signal.SIGINT)


def test_sigint_in_mid_run_leaves_a_readable_consistent_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worlds, "BLOCK_ROWS", 100)
    before = signal.getsignal(signal.SIGINT)
    ended = run(lively(5_000), out=tmp_path, chain="none", progress=Interrupting())
    assert signal.getsignal(signal.SIGINT) is before
    saved = load(tmp_path)
    assert (ended.interrupted, saved.manifest.interrupted) == (True, True)
    assert 100 <= len(saved.frames.calls) < 1_000
    assert (saved.frames.calls["status"] == "in_flight").any()
    assert all(law.ok for law in ended.summary.laws.values()), ended.summary.laws


def test_sigint_at_the_very_end_does_not_lose_the_record(tmp_path: Path) -> None:
    """The only report of so small a run comes after its last event."""
    with contextlib.suppress(KeyboardInterrupt):
        run(lively(300), out=tmp_path, chain="none", progress=Interrupting())
    assert load(tmp_path).frames.digest == ran(lively(300)).digest


def test_a_run_in_another_thread_leaves_signals_alone() -> None:
    found: list[str] = []
    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=lambda: found.append(ran(lively(50)).digest))
    thread.start()
    thread.join()
    assert found == [ran(lively(50)).digest]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("calls_before", [0, 250])
def test_a_broken_law_leaves_what_was_recorded_before(
    calls_before: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worlds, "BLOCK_ROWS", 100)
    honest, ended = Ledger.end_hold, [0]

    def generous(
        ledger: Ledger, agent: int, quote_micros: int, charge_micros: int, slash_micros: int
    ) -> None:
        ended[0] += 1
        extra = int(ended[0] > calls_before)
        honest(ledger, agent, quote_micros + extra, charge_micros, slash_micros)

    monkeypatch.setattr(Ledger, "end_hold", generous)
    with pytest.raises(LawError, match="conservation"):
        run(lively(2_000), out=tmp_path, chain="none")
    saved = load(tmp_path)
    assert saved.manifest.interrupted
    assert len(saved.frames.calls) >= calls_before // 100 * 100


# Outages ---------------------------------------------------------------------------------------


def periods(hours: float, seed: int = 1, name: str = "m", **given_outages: object) -> list[int]:
    """The times, in us, at which a model goes down and comes back in turn."""
    endpoint = Pool(scenario({name: model(outages=given_outages)})).endpoints[0]
    clock = Clock()
    found: list[int] = []

    def down(each: Endpoint) -> None:
        assert len(found) % 2 == 0
        assert each is endpoint
        found.append(clock.now)

    def back(each: Endpoint) -> None:
        assert len(found) % 2 == 1
        assert each is endpoint
        found.append(clock.now)

    outages(clock, endpoint, seed, down, back)
    clock.run(until=round(hours * US_PER_HOUR))
    return found


def test_planned_outages_begin_and_end_as_planned() -> None:
    windows = [{"from_h": 2, "to_h": 3.5}, {"from_h": 0, "to_h": 0.25}]
    assert [us / US_PER_HOUR for us in periods(9, windows=windows)] == [0, 0.25, 2, 3.5]


def test_random_outages_have_their_mean_lengths() -> None:
    lengths = np.diff(periods(100_000, mean_up_h=9, mean_down_min=60)) / US_PER_HOUR
    downs, ups = lengths[::2], lengths[1::2]
    assert downs.mean() == pytest.approx(1, abs=4 / len(downs) ** 0.5)
    assert ups.mean() == pytest.approx(9, abs=9 * 4 / len(ups) ** 0.5)
    assert ups.std() == pytest.approx(ups.mean(), rel=0.05)
    assert abs(np.corrcoef(downs[: len(ups)], ups)[0, 1]) < 0.05


@given(st.integers(0, 2**32))
def test_random_outages_depend_on_seed_and_model_alone(seed: int) -> None:
    mine = periods(500, seed, mean_up_h=9)
    assert mine == periods(500, seed, mean_up_h=9)
    assert mine != periods(500, seed, "n", mean_up_h=9)
    assert mine != periods(500, seed + 1, mean_up_h=9)


@given(st.integers(0, 2**32))
def test_outages_that_overlap_are_one(seed: int) -> None:
    windows = [{"from_h": 5, "to_h": 30}]
    planned = periods(50, windows=windows)
    alone = periods(50, seed, mean_up_h=2)
    both = periods(50, seed, windows=windows, mean_up_h=2)
    for us in range(0, 50 * US_PER_HOUR, US_PER_HOUR // 4):
        down = [bool(np.searchsorted(times, us, "right") % 2) for times in (planned, alone, both)]
        assert down[2] == (down[0] or down[1])
