"""Workflows: steps in order, clones at once, loops unrolled by outcome, one task in the end."""

from collections.abc import Mapping
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.graphs import workflows
from sim.mechanisms import MECHANISMS
from sim.scenario import Scenario
from sim.world import World
from tests.scenarios_for_tests import (
    CHAT,
    CODE,
    WRONG,
    fates,
    group,
    lively,
    model,
    ran,
    record,
    scenario,
    task,
)
from tests.workflow_helpers import FLOW, answers, broken, lawful, outcomes, played, studio, works

CHAIN: Mapping[str, object] = {"plan": {}, "write": {"after": ["plan"]}}


def test_steps_follow_one_another_and_the_task_ends_with_the_last() -> None:
    frames = played(studio({**CHAIN, "check": {"after": ["write"]}}), [task(1)])
    assert answers(frames) == [
        "plan.0.0 m 1 2 none", "write.0.0 m 2 3 none", "check.0.0 m 3 4 none",
    ]  # fmt: skip
    assert fates(frames) == ["0 3 succeeded none 4"]


def test_clones_run_side_by_side_and_are_waited_for() -> None:
    flow = {"draft": {"clones": 3}, "pick": {"after": ["draft"]}}
    narrow = {"m": model(quality={CHAT: 0.7}, capacity={"slots": 2, "queue": 9})}
    frames = played(studio(flow, narrow), [task(1)])
    assert answers(frames) == [
        "draft.0.0 m 1 2 none", "draft.1.0 m 1 2 none", "draft.2.0 m 1 3 none",
        "pick.0.0 m 3 4 none",
    ]  # fmt: skip


def test_a_hundred_clones_are_in_flight_at_once() -> None:
    frames = played(studio({"search": {"clones": 100}}), [task(1)])
    assert len(frames.calls) == 100
    assert frames.calls["started_us"].n_unique() == 1
    assert fates(frames) == ["0 100 succeeded none 2"]


def test_tools_run_before_a_step_and_hold_it_up() -> None:
    flow = {"plan": {}, "test": {"after": ["plan"], "tool_wait_s": {"median_s": 30}}}
    frames = played(studio(flow), [task(1)])
    assert answers(frames) == ["plan.0.0 m 1 2 none", "test.0.0 m 32 33 none"]


def test_a_deadline_that_passes_while_tools_run_ends_the_task() -> None:
    flow = {"plan": {}, "test": {"after": ["plan"], "tool_wait_s": {"median_s": 30}}}
    frames = played(studio(flow), [task(1, deadline_s=20)])
    assert fates(frames) == ["0 1 expired tools 32"]


def test_a_wrong_answer_is_asked_for_again_as_often_as_its_step_allows() -> None:
    flow = {"plan": {"repeats": 2}}
    frames = played(studio(flow, retries=0), [task(1, difficulty=WRONG)])
    assert answers(frames) == [f"plan.0.{n} m {1 + n} {2 + n} wrong" for n in range(3)]
    assert fates(frames) == ["0 3 failed wrong 4"]


def test_without_repeats_of_its_own_a_step_has_its_groups_retries() -> None:
    frames = played(studio(CHAIN, retries=1), [task(1, difficulty=WRONG)])
    assert fates(frames) == ["0 2 failed wrong 3"]


def test_a_step_that_stays_wrong_goes_back_and_all_between_is_done_again() -> None:
    hard = {"mean": 20}
    flow = {
        **CHAIN,
        "test": {
            "after": ["write"], "repeats": 0, "extra_difficulty": hard,
            "revise": {"back_to": "write", "at_most": 2},
        },
    }  # fmt: skip
    frames = played(studio(flow), [task(1, difficulty=-(10**7))])
    assert answers(frames) == [
        "plan.0.0 m 1 2 none",
        "write.0.0 m 2 3 none", "test.0.0 m 3 4 wrong",
        "write.0.1 m 4 5 none", "test.0.1 m 5 6 wrong",
        "write.0.2 m 6 7 none", "test.0.2 m 7 8 wrong",
    ]  # fmt: skip
    assert fates(frames) == ["0 7 failed wrong 8"]


def test_going_back_waits_for_clones_that_are_still_under_way() -> None:
    flow = {
        "write": {},
        "test": {"after": ["write"], "clones": 2, "repeats": 0, "revise": {"back_to": "write"},
                 "extra_difficulty": {"mean": 20}},
    }  # fmt: skip
    narrow = {"m": model(quality={CHAT: 0.7}, capacity={"slots": 1, "queue": 9})}
    frames = played(studio(flow, narrow), [task(1, difficulty=-(10**7))])
    assert answers(frames)[:4] == [
        "write.0.0 m 1 2 none", "test.0.0 m 2 3 wrong", "test.1.0 m 2 4 wrong",
        "write.0.1 m 4 5 none",
    ]  # fmt: skip


def test_a_lost_task_asks_for_nothing_more_but_ends_with_its_last_answer() -> None:
    flow = {"a": {"repeats": 0, "extra_difficulty": {"mean": 20}}, "b": {}, "c": {"after": ["b"]}}
    slow = {"m": model(quality={CHAT: 0.7}, capacity={"slots": 1, "queue": 9})}
    frames = played(studio(flow, slow), [task(1, difficulty=-(10**7))])
    assert answers(frames) == ["a.0.0 m 1 2 wrong", "b.0.0 m 1 3 none"]
    assert fates(frames) == ["0 2 failed wrong 3"]


def test_a_task_that_no_model_takes_is_rejected_and_one_that_has_begun_fails() -> None:
    dear = {"m": model("2", quality={CHAT: 0.7})}
    assert fates(played(studio(CHAIN, dear), [task(1)])) == ["0 0 rejected max_price 1"]
    coded = {"plan": {}, "write": {"after": ["plan"], "intent": CODE}}
    two = {"m": model(quality={CHAT: 0.7}), "c": model("2", quality={CODE: 0.7})}
    assert fates(played(studio(coded, two), [task(1)])) == ["0 1 failed max_price 2"]


def test_a_step_has_sizes_intent_and_difficulty_of_its_own() -> None:
    flow = {
        "plan": {"input_tokens": {"median": 70}, "output_tokens": {"median": 7}},
        "write": {"after": ["plan"], "intent": CODE, "extra_difficulty": {"mean": -3}},
    }
    frames = played(studio(flow), [task(1, difficulty=1)])
    rows = frames.calls.select("intent", "input_tokens", "reference_tokens", "difficulty").rows()
    assert rows == [(CHAT, 70, 7, 1), (CODE, 1000, 100, 1 - 3 * 10**6)]


def test_a_steps_worth_is_its_part_of_the_tasks() -> None:
    router = {"kind": "willingness-to-pay"}
    two = {"cheap": model("0.01", quality={CHAT: 0.5}), "dear": model("0.2", quality={CHAT: 0.9})}
    for clones, pick in ((1, "dear"), (10, "cheap")):
        what = scenario(two, {"a": works({"s": {"clones": clones}}, value_usd=1)}, router=router)
        frames = played(what, [task(1, value_micros=10**6)])
        assert set(frames.calls["model"]) == {pick}


def test_an_interrupted_workflow_leaves_one_open_task() -> None:
    for stop_s, calls in ((2.5, 2), (20, 1)):
        wait: dict[str, object] = {"tool_wait_s": {"median_s": 60}} if stop_s == 20 else {}
        flow = {"plan": {}, "write": {"after": ["plan"], **wait}}
        world = World(studio(flow))
        frames = played(studio(flow), [task(1)], stop_s=stop_s)
        assert fates(frames) == [f"0 {calls} open interrupted {stop_s:.7g}"]
        assert world.market.tasks_posted == 0


STEPS = st.fixed_dictionaries(
    {
        "clones": st.integers(1, 5),
        "repeats": st.none() | st.integers(0, 2),
        "tool_wait_s": st.none() | st.just({"median_s": 3, "sigma": 1}),
        "input_tokens": st.none() | st.just({"median": 900, "sigma": 1}),
        "extra_difficulty": st.just({"mean": 0, "sigma": 0.5}),
    }
)


@st.composite
def flows(draw: st.DrawFn) -> dict[str, dict[str, object]]:
    """Workflows of up to six steps, some of which go back."""
    names = "abcdef"[: draw(st.integers(1, 6))]
    flow: dict[str, dict[str, object]] = {}
    after: dict[str, list[str]] = {}
    for at, name in enumerate(names):
        before = draw(st.lists(st.sampled_from(names[:at]), unique=True)) if at else []
        after[name] = before
        ways = [*workflows.before(after, name), name]
        revise = {"back_to": draw(st.sampled_from(ways)), "at_most": draw(st.integers(1, 2))}
        flow[name] = {
            **draw(STEPS), "after": before, "revise": draw(st.none() | st.just(revise)),
        }  # fmt: skip
    return flow


def busy(
    flow: Mapping[str, object], seed: int, rules: Mapping[str, object] | None = None,
    **changes: object,
) -> Scenario:  # fmt: skip
    """Workflows in a market with outages, queues and people who chat."""
    models = lively(1).model_dump(mode="json", exclude_defaults=True)["models"]
    groups = {
        "studio": works(flow, **{"count": 2, "retries": 1, "deadline_s": 60, **changes}),
        "chat": group(300, retries=1),
    }
    return scenario(models, groups, **{"tasks": 40, "seed": seed, **(rules or {})})


@settings(max_examples=30, deadline=None)
@given(flows(), st.integers(0, 2**32), st.none() | st.integers(1, 400))
def test_all_laws_hold_whatever_the_workflow_and_whenever_it_is_cut_off(
    flow: dict[str, dict[str, object]], seed: int, stop_s: int | None
) -> None:
    lawful(busy(flow, seed, session={"sticky": True}), stop_s)


@pytest.mark.parametrize("kind", MECHANISMS)
def test_all_laws_hold_under_every_mechanism(kind: str) -> None:
    floor = {"kind": "rising-floor", "rise": 0.1}
    what = busy(
        FLOW, 4, {"mechanism": {"kind": kind}},
        session={"sticky": True}, budget_per_task_usd="0.3", escalation=floor,
    )  # fmt: skip
    for stop_s in (None, 50, 200):
        lawful(what, stop_s)


def test_all_laws_hold_by_a_protocols_clock() -> None:
    what = busy(FLOW, 4, {"protocol": {}}, session={"sticky": True})
    for stop_s in (None, 100):
        lawful(what, stop_s)


def test_what_a_part_asks_does_not_depend_on_the_router_or_the_others() -> None:
    keys = ["agent", "posted_us_task", "step", "clone", "attempt"]
    sizes = ["input_tokens", "reference_tokens", "difficulty"]

    def asked(what: Scenario) -> pl.DataFrame:
        frames = ran(what)
        tasks = frames.tasks.select("task_id", pl.col("posted_us").alias("posted_us_task"))
        calls = frames.calls.join(tasks, on="task_id").filter(pl.col("group") == "studio")
        return calls.with_columns(pl.col("agent").cast(pl.String)).select(*keys, *sizes)

    session = {"sticky": False}
    first = asked(busy(FLOW, 5, session=session))
    for changes in ({"retries": 3}, {"count": 4}, {"max_price_usd": "0.5"}):
        other = asked(busy(FLOW, 5, None, **{"session": session, **changes}))
        both = first.join(other, on=keys, suffix="_other")
        assert len(both) > 20
        for size in sizes:
            assert both[size].equals(both[f"{size}_other"].alias(size))


def test_a_success_claimed_without_every_part_breaks_a_law() -> None:
    world = World(busy(FLOW, 3))
    world.run()
    frames = record(world)
    assert "succeeded none" in outcomes(frames)
    told = pl.when(pl.col("outcome") == "failed").then(pl.lit("succeeded")).otherwise("outcome")
    kind = frames.tasks["outcome"].dtype
    for column, value in (("step", "docs"), ("clone", 7), ("attempt", 5)):
        change = pl.lit(value).cast(frames.calls[column].dtype).alias(column)
        row = pl.col("call_id") == frames.calls.filter(pl.col("step") == "plan")["call_id"][0]
        calls = frames.calls.with_columns(pl.when(row).then(change).otherwise(column).alias(column))
        assert "nothing_is_lost" in broken(world, replace(frames, calls=calls)), column
    tasks = frames.tasks.with_columns(told.cast(kind).alias("outcome"))
    assert "nothing_is_lost" in broken(world, replace(frames, tasks=tasks))


def test_a_step_asked_for_before_its_time_breaks_a_law() -> None:
    world = World(busy(FLOW, 3))
    world.run()
    frames = record(world)
    for step, attempt in (("test", 0), ("plan", 1)):
        which = (pl.col("step") == step) & (pl.col("attempt") == attempt)
        found = frames.calls.filter(which)["call_id"][0]
        early = pl.when(pl.col("call_id") == found).then(pl.col("posted_us") - 2 * 10**7)
        calls = frames.calls.with_columns(early.otherwise("posted_us").alias("posted_us"))
        assert "order" in broken(world, replace(frames, calls=calls))


def test_each_clone_has_luck_of_its_own() -> None:
    even = {"m": model(quality={CHAT: 0.5})}
    flow = {"s": {"clones": 50, "repeats": 0}}
    frames = played(studio(flow, even), [task(1, difficulty=0)])
    assert 0.25 < sum(frames.calls["success"]) / 50 < 0.75
