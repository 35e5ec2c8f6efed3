"""Fallbacks: the next in rank takes over what an outage takes, at the same attempt of its agent."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.facts import Reason, Task
from sim.laws import LAWS
from sim.laws.answers import answers_wrong
from sim.laws.evidence import Evidence
from sim.record.frames import Frames
from sim.recording import frames_of
from sim.routers import InversePower, Leaderboard
from sim.scenario import Scenario, load
from sim.world import World
from tests.scenarios_for_tests import (
    CHAT,
    CODE,
    Mappings,
    demand,
    group,
    model,
    scenario,
    task,
)
from tests.test_routers import Pool
from tests.workflow_helpers import FLOW, lawful, works

SLOW = {"first_token_ms": 60_000, "tokens_per_s": 1e6, "sigma": 0}
ROOM = {"slots": 200, "queue": 200}


def down(*names: str, at_h: float = 1.0, for_h: float = 0.5) -> list[Mappings]:
    """These models go down together."""
    return [{"kind": "outage", "at_h": at_h, "for_h": for_h, "model": each} for each in names]


def serving(*qualities: float, usd: object = "0.01", **changes: object) -> dict[str, Mappings]:
    """Models of a minute an answer."""
    return {
        f"m{n}": model(usd, quality={CHAT: each}, latency=SLOW, capacity=ROOM, **changes)
        for n, each in enumerate(qualities)
    }


def market(
    fallbacks: int, models: Mappings, events: Sequence[Mappings], retries: int = 0,
    **changes: object,
) -> Scenario:  # fmt: skip
    """Agents who all have a call under way at any time, and patience."""
    router = {"kind": "leaderboard", "fallbacks": fallbacks}
    people = group(60, count=30, deadline_s=600, retries=retries)
    rules: dict[str, object] = {"router": router, "horizon_h": 2, "events": list(events)}
    return scenario(models, {"a": people}, **(rules | changes))


def asked(draw: int) -> Task:
    """A task of intent 0."""
    return task(draw=draw, intent=0)


def lost(frames: Frames) -> pl.DataFrame:
    """The calls that an outage took."""
    return frames.calls.filter(pl.col("reason") == "outage")


def taken_over(frames: Frames) -> pl.DataFrame:
    """Each lost call beside the one that was made at the same attempt in its place."""
    same = ["task_id", "step", "clone", "attempt"]
    return (
        lost(frames).join(frames.calls, on=same).filter(pl.col("call_id_right") > pl.col("call_id"))
    )


def test_what_an_outage_takes_is_answered_by_another_though_its_agent_never_asks_again() -> None:
    plain, frames = (lawful(market(each, serving(0.9, 0.8), down("m0"))) for each in (0, 1))
    assert lost(plain).height > 5
    assert plain.tasks.filter(pl.col("reason") == "outage").height == lost(plain).height
    assert frames.tasks.filter(pl.col("reason") == "outage").is_empty()
    pairs = taken_over(frames)
    assert pairs.height == lost(frames).height == lost(plain).height
    assert (pairs["posted_us_right"] == pairs["finished_us"]).all()
    assert set(pairs["model_right"].to_list()) == {"m1"}
    assert pairs["charge_micros"].sum() == 0
    assert (pairs["charge_micros_right"] == 10_000).all()
    assert (frames.tasks.filter(pl.col("task_id").is_in(pairs["task_id"]))["calls"] == 2).all()


@pytest.mark.parametrize(("gone", "behind"), [("m1", "m3"), ("m3", "m1"), ("m0", "m1")])
def test_the_next_in_rank_is_the_best_scored_of_the_others(gone: str, behind: str) -> None:
    pairs = taken_over(lawful(market(1, serving(0.7, 0.95, 0.5, 0.85), down(gone))))
    assert pairs.height > 0
    assert set(pairs["model"].to_list()) == {gone}
    assert set(pairs["model_right"].to_list()) == {behind}


def test_of_models_in_grace_none_stands_behind_while_another_is_on_offer() -> None:
    pool, board = Pool([500_000, 900_000, 700_000], [10] * 3), Leaderboard(fallbacks=1)
    pool.newcomers[0] = frozenset({1})
    assert board.behind(asked(0), 0, [0, 1, 2], pool) == 2
    assert board.behind(asked(0), 0, [1], pool) == 1


def test_models_that_rank_alike_stand_behind_as_often() -> None:
    pool, board = Pool([700_000, 700_000, 100_000], [10] * 3), Leaderboard(fallbacks=1)
    picks = [board.behind(asked(draw), 0, [0, 1, 2], pool) for draw in range(400)]
    assert set(picks) == {0, 1}
    assert 150 < picks.count(0) < 250


def test_behind_a_pick_by_price_stands_the_cheapest_other() -> None:
    models = {f"m{n}": model(usd, quality={CHAT: 0.8}, latency=SLOW, capacity=ROOM)
              for n, usd in enumerate(("0.01", "0.03", "0.02"))}  # fmt: skip
    rule = InversePower(fallbacks=1).model_dump()
    pairs = taken_over(lawful(market(0, models, down("m0"), router=rule)))
    assert pairs.height > 5
    assert set(pairs["model_right"].to_list()) == {"m2"}


@pytest.mark.parametrize(("fallbacks", "attempts"), [(0, [0, 1]), (1, [0, 0, 1]), (2, [0, 0, 0])])
def test_fallbacks_are_no_retries_of_the_agent(fallbacks: int, attempts: list[int]) -> None:
    """Of three models two go down, the second while it stands in for the first."""
    events = [*down("m0", at_h=1), *down("m1", at_h=1 + 1 / 600)]
    frames = lawful(market(fallbacks, serving(0.95, 0.9, 0.85), events, retries=1))
    struck = lost(frames).filter(model="m0").join(frames.calls, on="task_id")
    found = struck.group_by("task_id", maintain_order=True).agg("attempt_right", "model_right")
    asked = [row["attempt_right"] for row in found.to_dicts() if "m1" in row["model_right"]]
    assert attempts in [each[: len(attempts)] for each in asked]
    assert max(map(max, asked)) <= 1


@pytest.mark.parametrize("changes", [
    {"price": {"kind": "per_call", "usd_per_call": 3}}, {"capacity": {"slots": 1, "queue": 0}},
    {"quality": {CODE: 0.9}}, {"listed": False},
])  # fmt: skip
def test_nobody_stands_behind_who_is_too_dear_or_full_or_cannot_answer(changes: Mappings) -> None:
    models = serving(0.9, 0.8)
    frames = lawful(market(1, {**models, "m1": {**models["m1"], **changes}}, down("m0")))
    assert taken_over(frames).height <= 1
    assert frames.tasks.filter(pl.col("reason") == "outage").height >= 5


def test_who_has_no_time_left_is_not_answered_by_another() -> None:
    """Calls of a minute, of agents whose patience ends while they are answered."""
    hurried = {"a": group(60, count=30, deadline_s=20)}
    router = {"kind": "leaderboard", "fallbacks": 1}
    frames = lawful(
        scenario(serving(0.9, 0.8), hurried, router=router, horizon_h=2, events=down("m0"))
    )
    taken = taken_over(frames)
    assert (taken["finished_us"] - taken["posted_us"] < 20 * 10**6).all()
    assert lost(frames).height > taken.height > 0


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 3), st.integers(0, 2), st.integers(1, 10**6), st.booleans(),
       st.sampled_from([5, 20]))  # fmt: skip
def test_every_law_holds_of_workflows_budgets_and_bids_whatever_goes_down(
    fallbacks: int, retries: int, seed: int, auction: bool, budget: int
) -> None:
    models = {
        f"m{n}": model(f"0.0{n + 1}", quality={CHAT: 0.8, CODE: 0.7}, capacity={"slots": 9},
                       latency={"first_token_ms": 20_000, "tokens_per_s": 100, "sigma": 1},
                       outages={"mean_up_h": 0.1, "mean_down_min": 3})
        for n in range(3)
    }  # fmt: skip
    groups = {
        "plain": group(90, count=3, retries=retries, deadline_s=200, intents={CHAT: demand()}),
        "teams": works(FLOW, count=2, retries=retries, deadline_s=900, budget_per_task_usd="0.25",
                       budget_per_day_usd=budget, session={"sticky": True}),
    }  # fmt: skip
    rules: dict[str, object] = {"mechanism": {"kind": "second-price"}} if auction else {}
    rules["router"] = {"kind": "leaderboard", "fallbacks": fallbacks}
    frames = lawful(scenario(models, groups, horizon_h=2, seed=seed, **rules))
    assert fallbacks or taken_over(frames).is_empty()


def test_a_model_that_takes_over_shifts_nobody_elses_tasks_and_no_luck_of_the_agents_own() -> None:
    plain, frames = (
        lawful(market(each, serving(0.9, 0.8), down("m0"), retries=1)) for each in (0, 1)
    )
    same = ["posted_us", "agent", "intent", "value_micros"]
    posted = [each.tasks.select(same).sort(same) for each in (plain, frames)]
    assert posted[0].equals(posted[1])
    before = [
        each.calls.filter(pl.col("posted_us") < 3600 * 10**6).height for each in (plain, frames)
    ]
    assert before[0] == before[1]


def test_an_event_may_put_models_behind_the_pick_in_mid_run() -> None:
    events = [*down("m0", at_h=0.5, for_h=0.1), {"at_h": 1, "set": {"router.fallbacks": 1}},
              *down("m0", at_h=1.5, for_h=0.1)]  # fmt: skip
    frames = lawful(market(0, serving(0.9, 0.8), events))
    early = pl.col("finished_us") < 3600 * 10**6
    assert taken_over(frames).filter(early).is_empty()
    assert lost(frames).filter(early).height > 5
    assert taken_over(frames).height == lost(frames).filter(~early).height > 5


def test_auctions_among_models_ask_no_router_and_so_none_that_falls_back() -> None:
    frames = lawful(
        market(1, serving(0.9, 0.9), down("m0", "m1"), mechanism={"kind": "reverse-first"})
    )
    assert lost(frames).height > 5
    assert taken_over(frames).is_empty()


def test_an_interrupted_run_counts_what_was_taken_over_too() -> None:
    world = World(market(1, serving(0.9, 0.8), down("m0")))
    world.clock.after(3_600_000_000 + 1_000_000, lambda _: world.stop(), None)
    world.run()
    frames = frames_of(world, 0, {})
    assert taken_over(frames).filter(pl.col("status_right") == "in_flight").height > 5
    evidence = Evidence.gather(frames, None, None, None, world.ledger)
    assert all(law(evidence).ok for law in LAWS.values())


@pytest.mark.parametrize("broken", ["reason", "fallbacks"])
def test_a_second_call_at_an_attempt_breaks_a_law_unless_it_stands_in_for_a_lost_one(
    broken: str,
) -> None:
    world = World(market(1, serving(0.9, 0.8), down("m0")))
    world.run()
    frames = frames_of(world, 0, {})
    evidence = Evidence.gather(frames, None, None, None, world.ledger)
    assert answers_wrong(evidence) == 0
    if broken == "reason":
        wrong = np.full(len(evidence.calls), Reason.WRONG)
        evidence = replace(evidence, calls=replace(evidence.calls, reason=wrong))
    else:
        without = frames.scenario.model_copy(update={"router": Leaderboard()})
        evidence = replace(evidence, frames=replace(frames, scenario=without))
    assert answers_wrong(evidence) == lost(frames).height


def test_the_protocol_has_one_model_behind_the_pick_and_others_have_none() -> None:
    telegraph = load("telegraph").router
    assert isinstance(telegraph, Leaderboard)
    assert telegraph.fallbacks == 1
    plain = market(0, serving(0.9), [])
    assert b"fallbacks" not in plain.canonical_json()
    assert b"fallbacks" in market(2, serving(0.9), []).canonical_json()
