"""Lateness: what a late success is still worth, to agents and in the figures."""

from sim.agents import Worth
from sim.metrics import figures
from sim.scenario.conduct import Lateness
from tests.scenarios_for_tests import (
    CHAT,
    WRONG,
    fates,
    group,
    model,
    play,
    record,
    scenario,
    task,
)
from tests.test_conduct import FAST, alone
from tests.workflow_helpers import played


def test_value_falls_in_a_straight_line_from_the_soft_deadline() -> None:
    rules = scenario(groups={"a": group(deadline_s=60)}).groups["a"]
    late = rules.model_copy(update={"lateness": Lateness(soft_deadline_s=20, value_left=0.2)})
    worth = Worth(late)
    minute_us = 60 * 10**6
    at = [worth(1000, s * 10**6, minute_us) for s in (0, 20, 30, 40, 60)]
    assert at == [1000, 1000, 800, 600, 200]
    assert [Worth(rules)(1000, s * 10**6, minute_us) for s in (0, 60)] == [1000, 1000]


def test_the_deadline_that_lateness_runs_to_is_the_one_in_force_when_a_task_was_posted() -> None:
    """After 35 s, 25 s late: half of the value by a deadline of 60 s, three quarters by 110 s."""
    lateness = {"soft_deadline_s": 10, "value_left": 0}
    slow = {"m": model("0.01", latency={**FAST, "first_token_ms": 35_000})}
    longer = {"at_h": 1, "set": {"groups.a.deadline_s": 110}}
    what = scenario(slow, {"a": group(60, lateness=lateness)}, events=[longer], horizon_h=72)
    told = figures(played(what, [task(1, deadline_s=60), task(3600, deadline_s=110)]))
    assert told.groups["a"].value_micros == 250_000 + 375_000


def test_who_would_wait_for_ever_is_served_and_leaves_nothing_to_come() -> None:
    """Alarms that will not ring make the clock slow, and keep their calls in memory."""
    one = scenario({"m": model(capacity={"slots": 1, "queue": 1})}, {"a": group(count=2)})
    world = play(one, [task(1)], [task(1.2, deadline_s=1e9)])
    assert fates(record(world))[1] == "1 1 succeeded none 3"
    assert world.clock.peek() == world.clock.now


def test_agents_give_up_by_the_deadline_that_is_in_force() -> None:
    """After 50 s a right answer is worth a fifth of 5 cents by 60 s: less than one costs."""
    lateness = {"soft_deadline_s": 10, "value_left": 0}
    slow = {"m": model("0.02", latency={**FAST, "first_token_ms": 50_000}, quality={CHAT: 0.99})}
    asking = group(60, lateness=lateness, retries=1, give_up={"beyond_value": True})
    what = scenario(slow, {"a": asking}, horizon_h=72,
                    events=[{"at_h": 1, "set": {"groups.a.deadline_s": 1000}}])  # fmt: skip
    asked = {"difficulty": WRONG, "value_micros": 50_000}
    frames = played(what, [task(1, deadline_s=60, **asked), task(3600, deadline_s=1000, **asked)])
    assert [fate.split()[1] for fate in fates(frames)] == ["1", "2"]


def test_welfare_counts_a_late_success_for_what_it_is_still_worth() -> None:
    lateness = {"soft_deadline_s": 10, "value_left": 0}
    slow = {"m": model("0.01", latency={**FAST, "first_token_ms": 35_000})}
    whole, late = (
        figures(played(alone(slow, **rules), [task(1, deadline_s=60)])).market.welfare_micros
        for rules in ({}, {"lateness": lateness})
    )
    assert whole - late == 250_000
