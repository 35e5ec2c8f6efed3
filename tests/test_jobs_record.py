"""On-chain jobs on record: what laws and figures say of them, and what is no such scenario."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from sim.explaining import explain
from sim.facts import ScenarioError
from sim.metrics import figures
from sim.protocols import Jobs
from sim.record.archive import load, save
from sim.record.frames import Frames
from sim.runner import run
from sim.units import US_PER_HOUR
from sim.world import World
from tests.bad_scenarios import GOOD, faults_of
from tests.jobs_for_tests import FEE, MICROS, RULES, jobbed
from tests.judging import broken_laws, run_of
from tests.scenarios_for_tests import CHAT, demand, group, model, ran, record


@pytest.fixture(scope="module")
def ended() -> tuple[World, Frames]:
    return run_of(jobbed())


@pytest.fixture(scope="module")
def frames(ended: tuple[World, Frames]) -> Frames:
    return ended[1]


# The laws ----------------------------------------------------------------------------------------

FIRST = pl.int_range(pl.len()) == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("base_micros", pl.col("base_micros") + 1),
        ("multiplier_tenths", pl.col("multiplier_tenths") + 5),
        ("volume", pl.lit(40)),
        ("gross_micros", pl.col("gross_micros") + 1),
        ("fee_micros", pl.col("fee_micros") + 1),
        ("created_us", pl.col("created_us") + 1),
        ("ended_us", pl.col("ended_us") + 1),
        ("swap", pl.col("swap") + 1),
        ("swap", pl.lit(None)),
        ("swap", pl.lit(10**6)),
        ("task_id", pl.col("task_id") + 1),
        ("call_id", pl.col("call_id") + 1),
        ("model", pl.when(model="big").then(pl.lit("small")).otherwise(pl.lit("big"))),
        ("state", pl.lit("cancelled")),
        ("state", pl.lit("funded")),
    ],
)
def test_a_job_that_is_not_as_its_call_and_the_rules_make_it_breaks_a_law(ended, column, value):
    world, frames = ended
    kept = frames.jobs[column].dtype
    other = pl.when(FIRST).then(value).otherwise(pl.col(column).cast(pl.String)
                                                 if kept == pl.Enum else column)  # fmt: skip
    jobs = frames.jobs.with_columns(other.cast(kept).alias(column))
    assert "nothing_is_lost" in broken_laws(world, replace(frames, jobs=jobs))


def test_each_part_of_a_workflow_is_a_job_or_none_by_its_own_draw():
    steps = {"plan": {}, "write": {"after": ["plan"], "clones": 4, "repeats": 1}}
    busy = group(60, max_price_usd=2, value_usd=9, intents={CHAT: demand(workflow=steps)})
    world, found = run_of(jobbed(groups={"g": busy}, rules={"jobs": {"share_percent": 50}}))
    assert broken_laws(world, found) == []
    writing = found.calls.filter((pl.col("step") == "write") & (pl.col("attempt") == 0))
    job = writing["call_id"].is_in(found.jobs["call_id"].implode())
    by_task = writing.with_columns(job=job).group_by("task_id").agg(pl.col("job").sum())
    assert set(by_task["job"]) == {0, 1, 2, 3, 4}


def test_tasks_that_are_jobs_though_their_draw_says_otherwise_break_the_law_of_draws(ended):
    """The share is another than the scenario says: so are the tasks that it takes."""
    world, frames = ended
    protocol = frames.scenario.protocol
    assert protocol is not None
    more = protocol.model_copy(update={"jobs": Jobs(share_percent=60)})
    told = replace(frames, scenario=frames.scenario.model_copy(update={"protocol": more}))
    assert "same_seed_same_record" in broken_laws(world, told)


def test_a_job_that_is_missing_or_there_twice_breaks_a_law(ended):
    world, frames = ended
    for jobs in (frames.jobs[1:], pl.concat([frames.jobs[:1], frames.jobs])):
        assert "nothing_is_lost" in broken_laws(world, replace(frames, jobs=jobs))


def test_a_swap_that_pays_another_sum_breaks_a_law(ended):
    world, frames = ended
    of_a_job = (pl.col("kind") == "swap") & (pl.col("amount") == MICROS - FEE)
    other = pl.when(of_a_job).then(pl.col("amount") - 1).otherwise("amount").alias("amount")
    changed = replace(frames, transfers=frames.transfers.with_columns(other))
    assert "nothing_is_lost" in broken_laws(world, changed)


def test_a_swap_for_another_model_breaks_a_law(ended):
    world, frames = ended
    job = frames.jobs.filter(model="big").to_dicts()[0]
    its = (pl.col("kind") == "swap") & (pl.col("time_us") == job["ended_us"])
    given = frames.transfers["source"].dtype
    giver = pl.col("source").cast(pl.String)
    small = pl.when(its & (giver == "model:big")).then(pl.lit("model:small")).otherwise(giver)
    moved = frames.transfers.with_columns(small.cast(given).alias("source"))
    assert "nothing_is_lost" in broken_laws(world, replace(frames, transfers=moved))


def machina_of(frames: Frames, job: Mapping[str, object]) -> pl.Expr:
    """The transfer by which a job's swap brought MACHINA."""
    mine = (pl.col("kind") == "swap") & (pl.col("asset") == "MACHINA")
    mine &= pl.col("time_us") == job["ended_us"]
    mine &= pl.col("amount") == job["machina_wei"]
    assert frames.transfers.filter(mine).height == 1
    return mine


def test_a_job_that_tells_of_more_machina_than_it_brought_breaks_a_law(ended):
    world, frames = ended
    twice = pl.when(FIRST).then(pl.col("machina_wei") * 2).otherwise("machina_wei")
    none = pl.when(FIRST).then(None).otherwise("machina_wei")
    for other in (twice, none):
        wei = other.cast(frames.jobs["machina_wei"].dtype).alias("machina_wei")
        told = replace(frames, jobs=frames.jobs.with_columns(wei))
        assert "nothing_is_lost" in broken_laws(world, told)


def test_machina_that_goes_to_another_model_than_the_one_that_paid_breaks_a_law(ended):
    world, frames = ended
    mine = machina_of(frames, frames.jobs.filter(model="big").row(0, named=True))
    kept, taker = frames.transfers["target"].dtype, pl.col("target").cast(pl.String)
    small = pl.when(mine).then(pl.lit("model:small")).otherwise(taker)
    moved = frames.transfers.with_columns(small.cast(kept).alias("target"))
    assert "nothing_is_lost" in broken_laws(world, replace(frames, transfers=moved))


def test_machina_that_comes_twice_or_never_breaks_a_law(ended):
    world, frames = ended
    moves = frames.transfers
    at = moves.select(machina_of(frames, frames.jobs.row(0, named=True)).arg_true()).item()
    for before, after in ((at + 1, at), (at, at + 1)):
        other = pl.concat([moves[:before], moves[after:]])
        assert "nothing_is_lost" in broken_laws(world, replace(frames, transfers=other))


def test_a_job_whose_call_was_charged_another_sum_breaks_a_law(ended):
    world, frames = ended
    job = pl.col("call_id") == frames.jobs["call_id"][0]
    less = pl.when(job).then(pl.col("charge_micros") - 1).otherwise("charge_micros")
    calls = frames.calls.with_columns(less.alias("charge_micros"))
    assert "nothing_is_lost" in broken_laws(world, replace(frames, calls=calls))


@pytest.mark.parametrize(
    ("state", "ended_us"),
    [("cancelled", pl.col("ended_us")), ("funded", pl.lit(None)), ("terminal", pl.lit(0))],
)
def test_where_nothing_is_swapped_a_job_that_ended_otherwise_breaks_a_law(state, ended_us):
    """What was bought says nothing there; the call does."""
    world, frames = run_of(jobbed(rules={"purchases": None}))
    kept = frames.jobs["state"].dtype
    told = {"state": pl.lit(state), "ended_us": ended_us}
    jobs = frames.jobs.with_columns(
        pl.when(FIRST)
        .then(value)
        .otherwise(pl.col(name).cast(pl.String) if name == "state" else name)
        .cast(kept if name == "state" else pl.Int64)
        .alias(name)
        for name, value in told.items()
    )
    assert broken_laws(world, frames) == []
    assert "nothing_is_lost" in broken_laws(world, replace(frames, jobs=jobs))


def test_a_job_of_a_call_in_flight_that_has_ended_breaks_a_law():
    slow = model("0.05", latency={"first_token_ms": 50_000, "tokens_per_s": 1e9})
    world = World(jobbed(models={"m": slow}, rules={"jobs": {"share_percent": 100}}))
    world.clock.after(US_PER_HOUR, lambda _: world.stop(), None)
    world.run()
    frames = record(world)
    assert frames.jobs["state"][-1] == "funded"
    assert broken_laws(world, frames) == []
    last = pl.int_range(pl.len()) == len(frames.jobs) - 1
    state = pl.when(last).then(pl.lit("cancelled")).otherwise(pl.col("state").cast(pl.String))
    ended = pl.when(last).then(US_PER_HOUR).otherwise("ended_us")
    jobs = frames.jobs.with_columns(
        state.cast(frames.jobs["state"].dtype).alias("state"), ended.alias("ended_us")
    )
    assert "nothing_is_lost" in broken_laws(world, replace(frames, jobs=jobs))


def test_what_nobody_is_left_to_judge_is_paid_when_the_run_ends():
    away = {"kind": "honest", "count": 5, "leaves_h": 1}
    world, found = run_of(jobbed(rules={"validators": {"all": away}}))
    late = found.jobs.filter(pl.col("created_us") > US_PER_HOUR)
    assert set(late["state"]) == {"terminal"}
    assert set(late["ended_us"]) == {found.duration_us}
    assert broken_laws(world, found) == []


def test_a_job_that_the_rail_settles_as_well_breaks_a_law(ended):
    world, frames = ended
    job = pl.col("call_id") == frames.jobs["call_id"][0]
    twice = pl.when(job).then(len(frames.calls)).otherwise("settled_id").alias("settled_id")
    assert "nothing_is_lost" in broken_laws(
        world, replace(frames, calls=frames.calls.with_columns(twice))
    )


# Figures, record, faults -------------------------------------------------------------------------


def test_the_figures_are_sums_over_the_jobs(frames):
    found, jobs = figures(frames).jobs, frames.jobs
    assert (found.created, found.terminal, found.cancelled) == (len(jobs), len(jobs), 0)
    assert found.gross_micros == sum(jobs["gross_micros"])
    assert found.fee_micros == sum(jobs["gross_micros"]) // 50
    assert found.bought_machina == pytest.approx(sum(map(int, jobs["machina_wei"])) / 1e18)
    waited = [ended - made for made, ended in jobs.select("created_us", "ended_us").iter_rows()]
    assert found.wait_us_mean == pytest.approx(sum(waited) / len(waited), abs=1)
    assert figures(ran(jobbed(rules={"jobs": None}))).jobs.created == 0


def test_a_job_is_regretted_for_its_quality_alone():
    """All models cost the same: what the better one would have solved more is all there is."""
    models = {"dear": model("0.5", quality={CHAT: 0.9}), "fair": model("0.01", quality={CHAT: 0.5})}
    rules = {"pricing": {}, "jobs": {"share_percent": 100}}
    best, worst = (
        figures(ran(jobbed(rules=rules, models=models, router={"kind": "single", "model": name})))
        for name in ("dear", "fair")
    )
    assert best.market.regret_micros == 0
    lost = worst.market.regret_micros / worst.calls.made / 3_000_000  # of the value of a success
    assert lost == pytest.approx(0.4, abs=0.05)


def test_jobs_are_saved_and_read_again_and_only_where_there_can_be_any(frames, tmp_path: Path):
    for place, what in (("with", frames), ("without", ran(jobbed(rules={"jobs": None})))):
        (tmp_path / place).mkdir()
        save(tmp_path / place, what, None)
        again = load(tmp_path / place).frames.jobs
        assert again.equals(what.jobs)
        assert again.schema == what.jobs.schema
    assert not (tmp_path / "without" / "jobs.parquet").exists()
    (tmp_path / "with" / "jobs.parquet").unlink()
    with pytest.raises(ScenarioError, match=r"jobs\.parquet"):
        load(tmp_path / "with")


def test_a_job_is_explained_at_the_price_that_every_model_has(tmp_path: Path):
    ended = run(jobbed(), out=tmp_path / "run", chain="none")
    assert ended.ok, ended.failure
    job = ended.saved.frames.jobs.filter(multiplier_tenths=15).to_dicts()[0]
    found = explain(tmp_path / "run", job["call_id"])
    assert [each.quote_usd for each in found.candidates] == [1.5, 1.5]
    assert [each.ask_usd for each in found.candidates] == [1.5, 1.5]
    assert [each.expected_cost_usd for each in found.candidates] == [1.5, 1.5]


def test_every_fault_of_jobs_is_told_at_once():
    rules = {"kind": "telegraph", "jobs": {"share_percent": 101, "base_price_usd": -1, "shar": 1}}
    faults = {fault.path: fault for fault in faults_of(GOOD | {"protocol": rules})}
    assert set(faults) >= {
        f"protocol.jobs.{key}" for key in ("share_percent", "base_price_usd", "shar")
    }
    (alone,) = faults_of(GOOD | {"protocol": {"kind": "telegraph", "jobs": {}}})
    assert (alone.path, alone.found) == ("protocol.jobs", "jobs without pricing")


def test_jobs_need_a_posted_price():
    rules = {key: value for key, value in RULES.items() if key != "purchases"}
    faults = faults_of(GOOD | {"protocol": rules, "mechanism": {"kind": "second-price"}})
    assert "mechanism.kind" in {fault.path for fault in faults}
