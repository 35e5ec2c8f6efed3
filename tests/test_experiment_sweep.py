"""Sweeps: designs, rows, workers, what survives a kill, and what is refused."""

import json
import os
import signal
import subprocess
from hashlib import sha256

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sim.experiment import jobs, measuring
from sim.experiment.jobs import perform, seed_of
from sim.experiment.session import opened
from sim.experiment.space import Parameter, Space
from sim.experiment.store import FORMAT, JOURNAL, MANIFEST, Store, read
from sim.experiment.workers import Processes
from sim.facts import LawError, ScenarioError, ToolError
from sim.metrics import LawFigures, figures
from tests.experiment_helpers import (
    FLOORS,
    PRICES,
    TELEX,
    deadly,
    environment,
    file_of,
    gone,
    missing,
    planned,
    small,
    square,
    started,
    swept,
    telex,
    wait_for_lines,
)
from tests.scenarios_for_tests import model, ran, scenario


def test_replication_0_has_the_scenarios_seed_and_the_others_their_own():
    seeds = [seed_of(42, rep) for rep in range(100)]
    assert seeds[0] == 42
    assert len(set(seeds)) == 100
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seeds[1] == int(sha256(b"42/replication/1").hexdigest()[:16], 16) >> 1


def test_a_row_has_the_figures_of_the_run(tmp_path):
    what = planned("router.floor=0.5")
    session = swept(what, tmp_path, reps=1)
    row = session.store.rows[0, 0]
    frames = ran(small())
    assert row.digest == frames.digest
    assert row.numbers["success_rate"] == figures(frames).success_rate
    assert row.numbers["models.dear.calls"] == figures(frames).models["dear"].calls
    assert row.numbers["models.cheap.profit_micros"] == row.numbers["models.cheap.revenue_micros"]
    assert (row.seed, row.laws_ok, row.error, row.verdict) == (3, True, None, "stable")


def test_a_grid_has_every_combination_with_the_last_parameter_fastest():
    what = planned(PRICES, FLOORS)
    price, floor = "models.dear.price.usd_per_call", "router.floor"
    pairs = [(point[price], point[floor]) for point in what.points]
    assert pairs == [(p, f) for p in (0.02, 0.03, 0.04) for f in (0.5, 0.8)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a=1:5:9", (1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5)),
        ("a=1:100:3:log", (1, 10, 100)),
        ("a=0.5,0.6,0.7", (0.5, 0.6, 0.7)),
        ("a=2:2:1", (2,)),
        ("a=0:0.3:4", (0, 0.1, 0.2, 0.3)),
        ("a=7", (7,)),
    ],
)
def test_a_parameter_lists_its_values(text, values):
    assert tuple(float(value) for value in Parameter.parse(text).values) == values


@pytest.mark.parametrize("design", ["sobol", "lhs"])
def test_a_random_design_fills_its_ranges_evenly_and_is_the_same_each_time(design):
    params = ("models.dear.price.usd_per_call=0.01:0.05", "groups.a.retries=0:3")
    points = planned(*params, design=design, points=16).points
    prices = np.array([point["models.dear.price.usd_per_call"] for point in points])
    retries = [point["groups.a.retries"] for point in points]
    assert np.histogram(prices, 16, (0.01, 0.05))[0].tolist() == [1] * 16
    assert set(retries) == {0, 1, 2, 3}
    assert all(isinstance(value, int) for value in retries)
    assert points == planned(*params, design=design, points=16).points


def test_a_sobol_design_need_not_be_a_power_of_two():
    assert len(planned("router.floor=0:1", design="sobol", points=5).points) == 5


def test_values_are_rounded_to_what_the_scenario_takes():
    space = Space(small(), [Parameter.parse("models.dear.price.usd_per_call=0.01:0.02:4")])
    assert space.at([0.5]) == {"models.dear.price.usd_per_call": 0.016667}


def test_workers_and_order_change_nothing_but_the_wall_clock(tmp_path):
    what = planned(PRICES, FLOORS)
    swept(what, tmp_path / "one", workers=1)
    swept(what, tmp_path / "two", workers=2)
    tables = [read(tmp_path / name)[1].drop("wall_s") for name in ("one", "two")]
    assert_frame_equal(*tables)
    assert len(tables[0]) == 12
    assert tables[0].select("point", "rep").rows() == [(p, r) for p in range(6) for r in range(2)]


def test_the_table_opens_in_duckdb(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    session = swept(planned(FLOORS), tmp_path)
    path = session.store.directory / "results.parquet"
    found = duckdb.sql(f"select count(*), avg(success_rate) from '{path}' where rep = 0").fetchall()
    assert found[0][0] == 2
    assert 0 < found[0][1] <= 1


def test_points_share_their_random_numbers(tmp_path):
    swept(planned("models.dear.price.usd_per_call=0.02,0.03"), tmp_path)
    table = read(tmp_path)[1]
    assert table.group_by("rep").agg(pl.col("tokens.input").n_unique())["tokens.input"].to_list() \
        == [1, 1]  # fmt: skip


def test_a_point_whose_numbers_do_not_fit_together_is_a_row_with_its_error(tmp_path):
    window = {"outages": {"windows": [{"from_h": 1, "to_h": 6}]}}
    what = scenario({"cheap": model(**window)}, tasks=20)
    at = "models.cheap.outages.windows[0]"
    swept(planned(f"{at}.from_h=1,5", f"{at}.to_h=2,6", what=what), tmp_path, reps=1)
    errors = read(tmp_path)[1]["error"].to_list()
    assert [error is None for error in errors] == [True, True, False, True]
    assert "to_h after from_h" in errors[2]


def test_a_broken_law_is_a_row_that_says_so(monkeypatch):
    broken = {"conservation": LawFigures(ok=False, found="1", needed="0")}
    monkeypatch.setattr(measuring, "check", lambda _: broken)
    row = perform(jobs.Job(0, 0, small(20)))
    assert row.laws_ok is False
    assert row.error == "law conservation: found 1, needed 0"
    assert row.numbers == {}
    with pytest.raises(LawError):
        measuring.measure(small(20))


def test_a_finished_sweep_runs_nothing_again_and_more_replications_only_themselves(tmp_path):
    what = planned(FLOORS)
    swept(what, tmp_path, reps=1)
    first = (tmp_path / JOURNAL).read_bytes()
    swept(what, tmp_path, reps=1)
    assert (tmp_path / JOURNAL).read_bytes() == first
    swept(what, tmp_path, reps=3)
    assert (tmp_path / JOURNAL).read_bytes().startswith(first)
    assert len(read(tmp_path)[1]) == 6
    swept(what, tmp_path, reps=1)
    assert len(read(tmp_path)[1]) == 2


def test_a_torn_last_row_is_run_again(tmp_path):
    what = planned(FLOORS)
    swept(what, tmp_path, reps=2)
    whole = read(tmp_path)[1].drop("wall_s")
    journal = tmp_path / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-40])
    swept(what, tmp_path, reps=2)
    assert_frame_equal(read(tmp_path)[1].drop("wall_s"), whole)


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_stopped_sweep_goes_on_and_ends_as_if_it_had_never_stopped(tmp_path, sent, status):
    file = file_of(tmp_path, 1500)
    asked = ("sweep", file, "--param", "models.dear.price.usd_per_call=0.02:0.05:4",
             "--reps", 3, "--workers", 2, "--out", "out")  # fmt: skip
    journal = tmp_path / "out" / JOURNAL
    process = started(*asked, cwd=tmp_path)
    wait_for_lines(journal, 3)
    os.kill(process.pid, sent)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status, errors
    assert gone(process.pid), "worker processes outlive the sweep"
    kept = journal.read_bytes()
    assert 3 <= kept.count(b"\n") < 12
    if sent == signal.SIGINT:
        assert "the same command goes on" in errors
        assert len(read(tmp_path / "out")[1]) == kept.count(b"\n")
    assert telex(*asked, cwd=tmp_path).returncode == 0
    assert journal.read_bytes().startswith(kept)
    assert telex(*asked[:-1], "other", cwd=tmp_path).returncode == 0
    tables = [read(tmp_path / name)[1].drop("wall_s") for name in ("out", "other")]
    assert_frame_equal(*tables)


def test_a_full_disk_is_said_at_once_and_loses_nothing(tmp_path):
    file = file_of(tmp_path, 100)
    asked = ("sweep", file, "--param", FLOORS, "--reps", 12, "--workers", 1, "--out", "out")
    command = 'ulimit -f 24; exec "$@"'
    limited = ["bash", "-c", command, "bash", *TELEX, *map(str, asked)]
    full = subprocess.run(
        limited, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip
    assert full.returncode == 2, full.stderr
    assert "cannot write to out" in full.stderr
    assert "finished runs are kept" in full.stderr
    kept = (tmp_path / "out" / JOURNAL).read_bytes()
    assert kept.endswith(b"\n")
    assert 3 <= kept.count(b"\n") < 24
    assert telex(*asked, cwd=tmp_path).returncode == 0
    assert (tmp_path / "out" / JOURNAL).read_bytes().startswith(kept)
    assert len(read(tmp_path / "out")[1]) == 24


def test_a_process_that_dies_takes_only_its_own_item_with_it():
    with Processes(2) as workers:
        assert sorted(workers.each(square, range(6), missing)) == [(n, n * n) for n in range(6)]
        found = dict(workers.each(deadly, range(8), missing))
    assert found == {n: n * n for n in range(8)} | {3: -3}


def test_a_directory_of_another_sweep_version_or_kind_is_refused(tmp_path):
    swept(planned(FLOORS), tmp_path, reps=1)
    before = (tmp_path / JOURNAL).read_bytes()
    with pytest.raises(ScenarioError, match="another sweep"):
        swept(planned("router.floor=0.5,0.9"), tmp_path, reps=1)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    for change, found in (({"format": FORMAT + 1}, "results of format 2"),
                          ({"telex": "0.0.9"}, "results of telex 0.0.9")):  # fmt: skip
        (tmp_path / MANIFEST).write_text(json.dumps(manifest | change))
        with pytest.raises(ScenarioError, match=found):
            swept(planned(FLOORS), tmp_path, reps=1)
    assert (tmp_path / JOURNAL).read_bytes() == before


def test_a_directory_of_something_else_or_in_use_is_refused(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("all my work")
    with pytest.raises(ToolError, match="exists and is not empty"):
        swept(planned(FLOORS), tmp_path / "full")
    what = planned(FLOORS)
    with (
        opened(what.experiment, tmp_path / "used", 1),
        pytest.raises(ToolError, match="another telex is writing"),
        Store(tmp_path / "used", what.experiment),
    ):
        pass
    with pytest.raises(ToolError, match="cannot write to"):
        swept(planned(FLOORS), tmp_path / "full" / "thesis.txt" / "below")


@pytest.mark.parametrize(
    ("param", "found", "hint"),
    [
        ("models.deer.price.usd_per_call=1,2", "no such path", "did you mean models.dear"),
        ("router.flor=0.5,0.6", "no such path", "did you mean router.floor?"),
        ("router.floor=5:1:3", "the empty range 5:1:3", ""),
        ("router.floor=0:1:0", "the empty range 0:1:0", ""),
        ("router.floor=", "'router.floor='", ""),
        ("router.floor=a:3:b", "'a'", ""),
        ("router.floor=0.5,0.5", "'0.5,0.5'", ""),
        ("router.floor=0.5:1.5:2", "1.5", ""),
        ("router.kind=1,2", "what is no number", ""),
        ("seed=1,2", "one for all", "replications have seeds of their own"),
        ("groups.a.retries=0:2:4", "0.6666", ""),
        ("router.floor=0:1", "a range without steps", ""),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_before_anything_runs(param, found, hint):
    with pytest.raises(ScenarioError) as refused:
        planned(param)
    text = str(refused.value)
    assert hint in text
    assert found in text


def test_all_parameters_faults_come_at_once():
    with pytest.raises(ScenarioError) as refused:
        planned("router.flor=1,2", "models.none.x=1", "router.floor=0,1", "router.floor=0.2,0.3")
    assert len(refused.value.faults) == 3
