"""Agents' conduct: budgets, escalation, giving up, sessions, learning, hosting, leaving."""

from collections.abc import Mapping

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.agents import agents
from sim.agents.plans import Retry
from sim.metrics import figures
from sim.record.frames import Frames
from sim.scenario import Scenario
from tests.scenarios_for_tests import (
    CHAT,
    CODE,
    WRONG,
    demand,
    fates,
    group,
    model,
    ran,
    scenario,
    task,
    token_model,
)
from tests.workflow_helpers import FLOW, answers, lawful, outcomes, played, studio, works

DAY_S = 86_400
FAST = {"first_token_ms": 1000, "tokens_per_s": 1e9, "sigma": 0}


def two(**changes: object) -> dict[str, object]:
    """A cheap and a dear model."""
    dear = {"quality": {CHAT: 0.9, CODE: 0.9}, "weights": "closed"}
    return {
        "cheap": model("0.01", quality={CHAT: 0.6, CODE: 0.6}, weights="open", **changes),
        "dear": model("0.10", **dear, **changes),
    }


def alone(models: Mapping[str, object] | None = None, **changes: object) -> Scenario:
    """One agent with these rules; the cheapest model is picked unless it says otherwise."""
    groups = {"a": group(60, **changes)}
    return scenario(models or two(), groups, router={"kind": "cheapest"}, horizon_h=72)


def test_the_budget_of_a_day_is_there_again_the_next_day() -> None:
    what = alone(budget_per_day_usd="0.025")
    frames = played(what, [task(1), task(5), task(9), task(DAY_S + 1), task(DAY_S + 5)])
    assert fates(frames) == [
        "0 1 succeeded none 2", "1 1 succeeded none 6", "2 0 rejected day_budget 9",
        f"3 1 succeeded none {DAY_S + 2}", f"4 1 succeeded none {DAY_S + 6}",
    ]  # fmt: skip


def test_a_day_budget_counts_what_is_held_and_gives_back_what_was_not_charged() -> None:
    models = {"m": token_model(wrong_output_factor=10)}
    frames = played(alone(models, budget_per_day_usd="0.0045"), [task(1), task(1.5), task(5)])
    assert fates(frames)[1:] == ["1 0 rejected day_budget 1.5", "2 1 succeeded none 6"]


def test_the_budget_of_a_task_stops_its_retries() -> None:
    what = alone(budget_per_task_usd="0.025", retries=9)
    frames = played(what, [task(1, difficulty=WRONG)])
    assert fates(frames) == ["0 2 failed task_budget 3"]


def test_a_task_too_dear_at_any_price_is_told_from_one_over_budget() -> None:
    dear = {"m": model("2")}
    assert fates(played(alone(dear, budget_per_task_usd="0.5"), [task(1)])) == [
        "0 0 rejected max_price 1"
    ]
    able = [task(1, limit_micros=3 * 10**6)]
    assert fates(played(alone(dear, budget_per_task_usd="0.5", max_price_usd=3), able)) == [
        "0 0 rejected task_budget 1"
    ]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["0.02", "0.05", "0.3"]))
def test_no_budget_is_ever_overdrawn_by_parallel_clones(seed: int, usd: str) -> None:
    groups = {
        "a": works(FLOW, budget_per_task_usd=usd, budget_per_day_usd="0.4", retries=2, count=2)
    }
    frames = lawful(scenario(two(), groups, tasks=30, seed=seed))
    per_task = frames.calls.group_by("task_id").agg(pl.col("charge_micros").sum())
    assert (per_task["charge_micros"] <= float(usd) * 1e6).all()


def test_retries_climb_the_ladder_and_stay_at_its_top() -> None:
    ladder = {"kind": "ladder", "models": ["cheap", "dear"]}
    frames = played(alone(escalation=ladder, retries=3), [task(1, difficulty=WRONG)])
    assert [row.split()[1] for row in answers(frames)] == ["cheap", "dear", "dear", "dear"]


def test_a_rung_that_is_not_on_offer_is_passed_over() -> None:
    ladder = {"kind": "ladder", "models": ["dear", "cheap"]}
    frames = played(alone(escalation=ladder), [task(1, limit_micros=50_000)])
    assert frames.calls["model"].to_list() == ["cheap"]


def test_the_floor_rises_with_each_attempt() -> None:
    floor = {"kind": "rising-floor", "start": 0.5, "rise": 0.2}
    frames = played(alone(escalation=floor, retries=2), [task(1, difficulty=WRONG)])
    assert [row.split()[1] for row in answers(frames)] == ["cheap", "dear", "dear"]


def test_a_task_is_given_up_after_so_many_answers() -> None:
    frames = played(alone(give_up={"after_calls": 3}, retries=9), [task(1, difficulty=WRONG)])
    assert fates(frames) == ["0 3 failed gave_up 4"]


def test_a_task_is_given_up_when_what_is_left_costs_more_than_it_is_worth() -> None:
    rules = {"give_up": {"beyond_value": True}, "retries": 9}
    assert fates(played(alone(None, **rules), [task(1, value_micros=16_000)])) == [
        "0 0 rejected gave_up 1"  # a cent over a score of .6 is 1.67 cents
    ]
    assert fates(played(alone(None, **rules), [task(1, value_micros=17_000)])) == [
        "0 1 succeeded none 2"
    ]
    steps = works({"s": {"clones": 10}}, **rules)
    what = scenario(two(), {"a": steps}, router={"kind": "cheapest"})
    assert outcomes(played(what, [task(1, value_micros=160_000)])) == {"rejected gave_up": 1}
    assert outcomes(played(what, [task(1, value_micros=170_000)])) == {"succeeded none": 1}


# Sessions


def metered(**changes: object) -> dict[str, object]:
    return token_model(quality={CHAT: 0.7, CODE: 0.7}, **changes)


CHAIN = {"a": {}, "b": {"after": ["a"]}, "c": {"after": ["b"]}}


def cached(frames: Frames) -> list[tuple[int, int]]:
    rows = frames.calls.sort("posted_us").select("input_tokens", "cached_tokens").rows()
    return [(int(entry), int(hit)) for entry, hit in rows]


def test_a_sessions_prompts_grow_and_the_model_that_has_seen_them_has_them_cached() -> None:
    frames = played(studio(CHAIN, {"m": metered()}, session={}), [task(1)])
    assert cached(frames) == [(1000, 0), (2100, 1000), (3200, 2100)]
    charged = frames.calls["charge_micros"].to_list()
    assert charged == [1000 + 200, 1100 + 100 + 200, 1100 + 210 + 200]


def test_without_a_session_steps_share_no_context() -> None:
    frames = played(studio(CHAIN, {"m": metered()}), [task(1)])
    assert cached(frames) == [(1000, 0)] * 3


def test_a_cache_is_lost_while_tools_run_for_long() -> None:
    flow = {**CHAIN, "c": {"after": ["b"], "tool_wait_s": {"median_s": 301}}}
    frames = played(studio(flow, {"m": metered()}, session={"cache_min": 5}), [task(1)])
    assert cached(frames) == [(1000, 0), (2100, 1000), (3200, 0)]


def test_reuse_is_what_is_found_of_the_repeated_part_and_the_context_has_an_end() -> None:
    session = {"reuse": 0.5, "context_max_tokens": 1500}
    frames = played(studio(CHAIN, {"m": metered()}, session=session), [task(1)])
    assert cached(frames) == [(1000, 0), (2100, 500), (2500, 750)]


def test_a_sticky_session_stays_with_its_model_and_pays_less() -> None:
    models = {name: metered() for name in ("m", "n")}
    flow = {name: {"after": [chr(ord(name) - 1)] if name > "a" else []} for name in "abcdefgh"}
    hits = {}
    for sticky in (True, False):
        frames = played(
            scenario(models, {"a": works(flow, session={"sticky": sticky})},
                     router={"kind": "random"}),
            [task(1)],
        )  # fmt: skip
        hits[sticky] = frames.calls["cached_tokens"].sum()
        assert (frames.calls["model"].n_unique() == 1) == sticky
    assert hits[True] > hits[False]


def test_turns_of_a_chat_continue_one_another_until_a_pause() -> None:
    chat = group(60, session={"idle_min": 10, "cache_min": 60}, arrival={
        "kind": "bursts", "per_hour": 60, "on_s": 300, "off_s": 3600})  # fmt: skip
    frames = lawful(scenario({"m": metered()}, {"a": chat}, horizon_h=24))
    gaps = frames.tasks["posted_us"].diff()
    entry, hits = frames.calls["input_tokens"], frames.calls["cached_tokens"]
    fresh = (gaps > 600 * 10**6).fill_null(True)
    assert entry.filter(fresh).unique().to_list() == [1000]
    assert hits.filter(fresh).unique().to_list() == [0]
    assert (entry.filter(~fresh) > 1000).all()
    assert sum(hits.filter(~fresh)) > 0.7 * sum(entry.filter(~fresh) - 1000)


# Learning


def test_agents_learn_which_model_works_for_them() -> None:
    """The one that declares more than it can is tried, seen through, and left."""
    models = {
        "boaster": model("0.01", quality={CHAT: 0.1}, declared_quality={CHAT: 0.95}),
        "honest": model("0.01", quality={CHAT: 0.8}),
    }
    rules = {"learning": {"prior_answers": 5}}
    frames = lawful(scenario(models, {"a": group(60, **rules)}))
    picks = frames.calls["model"].cast(pl.String)
    assert picks[0] == "boaster"
    assert set(picks[-100:]) == {"honest"}
    switches = frames.decisions.filter(pl.col("decision") == "switch")
    assert switches["model"].to_list()[-1] == "honest"


def test_who_was_not_answered_has_learnt_nothing_of_how_right_a_model_is() -> None:
    """Ten outages take an answer each; the better model is used again once it is back."""
    down = {"windows": [{"from_h": 1 + n, "to_h": 1.05 + n} for n in range(10)]}
    models = {
        "good": model("0.01", quality={CHAT: 0.9}, outages=down),
        "poor": model("0.01", quality={CHAT: 0.5}),
    }
    slow = {"first_token_ms": 200_000, "tokens_per_s": 1e9, "sigma": 0}
    models["good"]["latency"] = slow
    rules = {"learning": {"prior_answers": 1}, "deadline_s": 600}
    what = scenario(models, {"a": group(60, **rules)}, router={"kind": "cheapest"})
    hours = [task(3600 * (1 + n) - 100) for n in range(10)] + [task(20 * 3600)]
    frames = played(what, hours)
    assert frames.calls["reason"].cast(pl.String).to_list() == ["outage"] * 10 + ["none"]
    assert set(frames.calls["model"].cast(pl.String)) == {"good"}


def test_the_greater_the_cost_of_switching_the_fewer_the_switches() -> None:
    found = []
    for usd in ("0", "0.05", "0.5"):
        models = {name: model("0.01", quality={CHAT: 0.6}) for name in ("m", "n", "o")}
        rules = {"learning": {"prior_answers": 3, "switching_cost_usd": usd}}
        told = figures(ran(scenario(models, {"a": group(60, count=3, **rules)})))
        found.append(told.conduct.switches)
    assert found[0] > found[1] > found[2] == 0


def test_a_share_of_attempts_explores() -> None:
    models = {"m": model("0.01", quality={CHAT: 0.9}), "n": model("0.5", quality={CHAT: 0.1})}
    frames = ran(scenario(models, {"a": group(60, learning={"explore": 0.2})}))
    assert frames.calls.filter(pl.col("model") == "n").height / len(frames.calls) == pytest.approx(
        0.1, abs=0.03
    )


def test_requirements_are_hard_filters() -> None:
    models = {
        "loose": model("0.01", tools=["search"]),
        "strict": model("0.02", data_policy="forgets", context_tokens=5000),
        "wide": model("0.03", data_policy="retains", context_tokens=100_000,
                      tools=["search", "code"]),
    }  # fmt: skip
    asks: list[tuple[dict[str, object], str]] = [
        ({}, "loose"),
        ({"data_policy": "retains"}, "strict"),
        ({"tools": ["search", "code"]}, "wide"),
        ({"data_policy": "retains", "context_tokens": 50_000}, "wide"),
    ]
    for requires, pick in asks:
        frames = played(alone(models, requires=requires), [task(1)])
        assert frames.calls["model"].to_list() == [pick]


def test_agents_without_rules_of_their_own_keep_nothing_in_mind() -> None:
    plain = scenario(groups={"a": group(3, retries=2, intents={CHAT: demand()})})
    assert all(isinstance(agent.plan, Retry) for agent in agents(plain))
