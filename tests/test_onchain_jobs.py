"""On-chain jobs: which tasks they are, what they cost, and where their money goes."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.chance import below, mix
from sim.metrics import figures
from sim.models.floors import JOBS
from sim.record.frames import Frames
from sim.scenario import Scenario
from sim.units import PPM, US_PER_HOUR
from sim.world import World
from tests.jobs_for_tests import FEE, MICROS, jobbed
from tests.judging import broken_laws, run_of
from tests.scenarios_for_tests import (
    CHAT,
    RIGHT,
    WRONG,
    entries,
    group,
    life,
    model,
    play,
    ran,
    record,
    scenario,
    task,
)


@pytest.fixture(scope="module")
def ended() -> tuple[World, Frames]:
    return run_of(jobbed())


@pytest.fixture(scope="module")
def frames(ended: tuple[World, Frames]) -> Frames:
    return ended[1]


def draw_of(*, job: bool, share_ppm: int = 300_000) -> int:
    """A task's draw that makes it a job at this share, or not."""
    draws = range(10**6)
    return next(each for each in draws if (below(mix(each, JOBS, 0), PPM) < share_ppm) == job)


def plain(settle_on: str = "delivered") -> Scenario:
    """One model and one agent without validators, whose rounds of 90 s agree on the truth."""
    rules: dict[str, object] = {"validators": {}, "consensus": {}, "pricing": {}}
    rail = {"kind": "batch", "settle_on": settle_on}
    return jobbed(rules=rules, models={"m": model("0.05")}, rail=rail)


# Which tasks, and at what price ------------------------------------------------------------------


def test_a_job_costs_the_base_price_times_the_multiplier_whatever_the_floors(frames):
    prices = set(
        frames.jobs.select("model", "multiplier_tenths", "gross_micros").unique().iter_rows()
    )
    assert prices == {
        (name, tenths, tenths * MICROS // 10) for name in ("big", "small") for tenths in (10, 15)
    }


def test_every_other_call_still_costs_its_models_floor(frames):
    others = frames.calls.join(frames.jobs, on="call_id", how="anti")
    floors = set(others.select("model", "quote_micros").unique().iter_rows())
    assert floors == {("big", 50_000), ("big", 75_000), ("small", 10_000), ("small", 15_000)}


@pytest.mark.parametrize("percent", [0, 7.5, 50, 100])
def test_as_many_tasks_are_jobs_as_the_share_says(percent):
    share = len((found := ran(jobbed(rules={"jobs": {"share_percent": percent}}))).jobs)
    assert share / len(found.calls) == pytest.approx(percent / 100, abs=0.08)
    assert percent not in (0, 100) or share == len(found.calls) * percent // 100


def test_without_a_share_all_is_as_without_jobs_but_for_the_hash():
    one, other = (ran(jobbed(rules={"jobs": jobs})) for jobs in ({"share_percent": 0}, None))
    assert one.calls.drop("answer_hash").equals(other.calls.drop("answer_hash"))
    assert one.transfers.equals(other.transfers)


def test_a_scenario_without_jobs_has_the_hash_it_had_before_there_were_any():
    assert b'"jobs"' in jobbed().canonical_json()
    without = jobbed(rules={"jobs": None})
    assert b'"jobs"' not in without.canonical_json()
    old = scenario(protocol={"kind": "telegraph"}).scenario_hash().hex()
    assert old.startswith("291d3b2771c2581e")


def tasks_that_are_jobs(found: Frames, agent: str) -> list[int]:
    """When an agent posted tasks that were jobs."""
    mine = found.jobs.filter(agent=agent)
    return found.tasks.filter(pl.col("task_id").is_in(mine["task_id"]))["posted_us"].to_list()


def test_another_agent_shifts_nobodys_jobs():
    rich = group(60, max_price_usd=20, value_usd=30)
    alone = ran(jobbed(groups={"b": rich}))
    crowd = ran(jobbed(groups={"a": rich, "b": rich, "c": rich}))
    assert tasks_that_are_jobs(alone, "b/0") == tasks_that_are_jobs(crowd, "b/0") != []
    assert tasks_that_are_jobs(crowd, "a/0") != tasks_that_are_jobs(crowd, "b/0")


def test_more_of_them_are_the_same_ones_and_others():
    few, many = (
        tasks_that_are_jobs(ran(jobbed(rules={"jobs": {"share_percent": share}})), "g/0")
        for share in (20, 60)
    )
    assert set(few) < set(many)


def test_who_goes_by_price_finds_all_models_alike_for_a_job():
    models = {"dear": model("0.5"), "fair": model("0.01")}
    rules = {"jobs": {"share_percent": 100}}
    every = ran(jobbed(rules=rules, models=models, router={"kind": "cheapest"}))
    assert set(every.calls["model"]) == {"dear"}  # the first of equals
    none = ran(jobbed(rules={"jobs": None}, models=models, router={"kind": "cheapest"}))
    assert set(none.calls["model"]) == {"fair"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"max_price_usd": "0.9"}, "max_price"), ({"budget_usd": "0.9"}, "no_budget")],
)
def test_who_cannot_pay_the_price_of_a_job_gets_no_call_of_any_model(changes, reason):
    poor = {"g": group(60, **{"max_price_usd": 2, "value_usd": 3, **changes})}
    found = ran(jobbed(groups=poor, rules={"jobs": {"share_percent": 100}}))
    assert len(found.calls) == 0
    assert set(found.tasks["reason"]) == {reason}


def test_who_can_pay_the_price_of_a_job_needs_not_reach_the_models_floors():
    models = {"m": model(3)}
    found = ran(jobbed(models=models, rules={"pricing": {}, "jobs": {"share_percent": 50}}))
    assert len(found.jobs) == len(found.calls) > 0
    refused = found.tasks.filter(pl.col("calls") == 0)
    assert set(refused["reason"]) == {"max_price"}


@pytest.mark.parametrize("max_price_usd", [2, "0.9"])
def test_a_model_whose_context_is_too_short_is_offered_no_job(max_price_usd):
    models = {"m": model("0.05", context_tokens=1000)}
    asking = {"g": group(60, max_price_usd=max_price_usd, value_usd=3)}
    rules = {"jobs": {"share_percent": 100}}
    found = ran(jobbed(models=models, groups=asking, rules=rules))
    assert set(found.tasks["reason"]) == {"no_model"}


def test_an_event_changes_share_and_price_for_the_calls_after_it():
    at_us = round(1.5 * US_PER_HOUR)
    change = {"protocol.jobs.share_percent": 100, "protocol.jobs.base_price_usd": "0.5"}
    world, found = run_of(jobbed(events=[{"at_h": 1.5, "set": change}], rules={"pricing": {}}))
    late = found.calls.filter(pl.col("posted_us") >= at_us)
    jobs = found.jobs.join(found.calls.select("call_id", "posted_us"), on="call_id")
    assert set(jobs.filter(pl.col("posted_us") >= at_us)["call_id"]) == set(late["call_id"])
    prices = jobs.group_by(pl.col("posted_us") >= at_us).agg(pl.col("gross_micros").unique())
    assert dict(prices.iter_rows()) == {False: [MICROS], True: [MICROS // 2]}
    assert broken_laws(world, found) == []


# Where the money goes ----------------------------------------------------------------------------


def moves_of(found: Frames) -> list[str]:
    """Each transfer of USDC and MACHINA after time 0 that no call is behind, its wei left out."""
    own = found.transfers.filter(pl.col("call_id").is_null() & (pl.col("time_us") > 0))
    own = own.filter(pl.col("asset").cast(pl.String) != "ETH")
    return [
        f"{row['time_us'] // MICROS} {row['kind']} {row['asset']} {row['source']} {row['target']}"
        + (f" {row['amount']}" if row["asset"] == "USDC" else "")
        for row in own.iter_rows(named=True)
    ]


def test_a_jobs_money_goes_by_way_of_the_escrow_to_treasury_and_pool():
    found = record(play(plain(), [task(draw=draw_of(job=True), value_micros=3 * MICROS,
                                       limit_micros=2 * MICROS)]))  # fmt: skip
    assert entries(found) == [
        "0 hold agent:g/0 escrow 1000000",
        "1 release escrow model:m 1000000",
        "1 fee model:m treasury 20000",
    ]
    assert moves_of(found) == ["1 swap USDC model:m pool 980000", "1 swap MACHINA pool model:m"]
    (job,) = found.jobs.to_dicts()
    assert (job["state"], job["fee_micros"], job["swap"]) == ("terminal", FEE, 0)
    assert 0.97 < job["machina_wei"] / 10**18 < 0.98


def test_a_job_ends_once_its_verdict_is_in_and_what_others_bring_gathers_as_before():
    draws = [draw_of(job=True), draw_of(job=False)]
    tasks = [
        task(at, draw=draw, value_micros=3 * MICROS, limit_micros=2 * MICROS)
        for at, draw in ((10, draws[0]), (95, draws[1]), (200, draws[0]))
    ]
    world = play(plain(), tasks)
    found = record(world)
    assert [ended // MICROS for ended in found.jobs["ended_us"].to_list()] == [90, 201]
    assert world.course is not None
    assert world.course.purchasing is not None
    assert [each.gathered_micros for each in world.course.purchasing.buyers] == [49_000]


def test_a_job_without_an_answer_is_cancelled_and_its_money_is_the_agents_again():
    found = ran(jobbed(
        models={"m": model("0.05", outages={"mean_up_h": 0.02, "mean_down_min": 1},
                           latency={"first_token_ms": 30_000, "tokens_per_s": 1e9})},
        rules={"jobs": {"share_percent": 100}},
    ))  # fmt: skip
    states = dict(found.jobs.join(found.calls, on="call_id").group_by("status").agg(
        pl.col("state").cast(pl.String).unique()).iter_rows())  # fmt: skip
    assert states == {"settled": ["terminal"], "refunded": ["cancelled"]}
    cancelled = found.jobs.filter(state="cancelled")
    assert set(cancelled["fee_micros"]) == {0}
    assert cancelled["swap"].null_count() == cancelled["machina_wei"].null_count() == len(cancelled)
    refunds = found.transfers.filter(
        (pl.col("kind") == "refund") & pl.col("call_id").is_in(cancelled["call_id"].implode())
    )
    assert set(refunds["amount"].cast(pl.Int64)) <= {MICROS, MICROS * 3 // 2}
    assert len(refunds) == len(cancelled)


def test_where_only_success_is_paid_for_a_wrong_answer_cancels_the_job():
    job = {"draw": draw_of(job=True), "value_micros": 3 * MICROS, "limit_micros": 2 * MICROS}
    tasks = [task(0, difficulty=RIGHT, **job), task(5, difficulty=WRONG, **job)]
    found = record(play(plain("success"), tasks))
    assert life(found)[1].endswith("refunded wrong")
    assert found.jobs["state"].to_list() == ["terminal", "cancelled"]
    assert found.jobs["ended_us"].to_list()[1] == 6 * MICROS


def test_without_purchases_the_model_keeps_its_dollars():
    world, found = run_of(jobbed(rules={"purchases": None}))
    assert set(found.jobs["state"]) == {"terminal"}
    assert found.jobs["swap"].null_count() == len(found.jobs)
    assert broken_laws(world, found) == []


def test_the_rail_settles_all_that_is_charged_but_the_jobs(frames):
    charged = frames.calls.filter(status="settled")
    railed = charged.filter(pl.col("settled_id").is_not_null())
    assert len(charged) == len(railed) + len(frames.jobs)
    assert railed.join(frames.jobs, on="call_id", how="semi").is_empty()
    assert frames.batches["calls"].sum() == len(railed)
    assert frames.batches["charge_micros"].sum() == railed["charge_micros"].sum()
    assert sorted(railed["settled_id"].to_list()) == list(range(len(railed)))


def test_an_interrupted_run_leaves_jobs_funded_and_pays_those_that_were_answered():
    job = {"draw": draw_of(job=True), "value_micros": 3 * MICROS, "limit_micros": 2 * MICROS}
    slow = model("0.05", latency={"first_token_ms": 50_000, "tokens_per_s": 1e9})
    what = jobbed(models={"m": slow}, rules={"validators": {}, "pricing": {}},
                       groups={"g": group(60, max_price_usd=2, value_usd=3)})  # fmt: skip
    world = play(what, [task(0, **job), task(140, **job), task(160, **job)], stop_s=200)
    found = record(world)
    assert found.jobs["state"].to_list() == ["terminal", "terminal", "funded"]
    assert found.jobs["ended_us"].to_list() == [90 * MICROS, 200 * MICROS, None]
    assert [name for name in broken_laws(world, found) if name != "same_seed_same_record"] == []


def test_a_run_with_jobs_keeps_every_law(ended):
    assert broken_laws(*ended) == []


@settings(max_examples=15, deadline=None)
@given(
    share=st.sampled_from([10, 50, 100]),
    base=st.sampled_from(["0.000001", "0.333333", "1", "7.5"]),
    times=st.sampled_from(["0.1", "1.3", "2.5"]),
    settle_on=st.sampled_from(["delivered", "success"]),
    fee_bps=st.sampled_from([0, 200, 3333]),
    seed=st.integers(0, 10**6),
)
def test_whatever_the_rules_no_law_is_broken_and_no_job_lost(
    share, base, times, settle_on, fee_bps, seed
):
    tiers = [{"requests": 0, "times": 1}, {"requests": 5, "times": times}]
    rules = {"jobs": {"share_percent": share, "base_price_usd": base}, "pricing": {"tiers": tiers}}
    hard = {"deadline_s": 40, "retries": 2, "budget_usd": 40, "max_price_usd": 15, "value_usd": 20}
    models = {
        "slow": model("0.05", capacity={"slots": 1, "queue": 2},
                      outages={"mean_up_h": 0.1, "mean_down_min": 1},
                      latency={"first_token_ms": 20_000, "tokens_per_s": 1e9, "sigma": 0.5}),
        "fast": model("0.01", quality={CHAT: 0.4}),
    }  # fmt: skip
    world, found = run_of(jobbed(
        models=models, groups={"g": group(60, count=2, **hard)}, rules=rules, horizon_h=0.4,
        seed=seed, rail={"kind": "batch", "size": 7, "settle_on": settle_on, "fee_bps": fee_bps},
    ))  # fmt: skip
    assert broken_laws(world, found) == []
    ended = figures(found).jobs
    assert ended.created == ended.terminal + ended.cancelled == len(found.jobs)
    paid = found.calls.join(found.jobs, on="call_id", how="semi")
    assert ended.gross_micros == paid["charge_micros"].sum()
    assert ended.fee_micros == paid["fee_micros"].sum()
