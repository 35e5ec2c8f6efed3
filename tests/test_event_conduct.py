"""Events on what agents do: from then on posted tasks go by it, and what was begun does not."""

from collections.abc import Mapping

import polars as pl
import pytest

from sim.metrics import figures
from sim.record.archive import load, save
from sim.scenario import Scenario
from sim.units import US_PER_HOUR
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
)
from tests.test_conduct import DAY_S, FAST, two
from tests.workflow_helpers import FLOW, answers, lawful, played

H = US_PER_HOUR
Mappings = Mapping[str, object]
SLOW = {"first_token_ms": 10_000, "tokens_per_s": 1e9, "sigma": 0}


def at(hour: float, **changes: object) -> dict[str, object]:
    """An event on the group ``a``; dots written as ``__``."""
    settings = {f"groups.a.{key.replace('__', '.')}": value for key, value in changes.items()}
    return {"at_h": hour, "set": settings}


def alone(*events: Mappings, models: Mappings | None = None, **changes: object) -> Scenario:
    """One agent, its cheapest model first, three days, and these events."""
    groups = {"a": group(60, **changes)}
    rules: dict[str, object] = {"router": {"kind": "cheapest"}, "horizon_h": 72}
    return scenario(models or two(), groups, events=list(events), **rules)


def test_a_task_is_retried_as_often_as_was_said_when_it_was_posted() -> None:
    what = alone(at(0.001, retries=3), at(0.01, retries=0), models=two(latency=SLOW))
    wrong = [task(each, difficulty=WRONG) for each in (0, 3.6, 36)]
    assert fates(played(what, wrong)) == [
        "0 1 failed wrong 10", "1 4 failed wrong 43.6", "2 1 failed wrong 46",
    ]  # fmt: skip


def test_a_workflow_is_that_of_the_time_at_which_its_task_was_posted() -> None:
    flow = {"draft": {}, "check": {"after": ["draft"]}}
    both = at(0.001, **{f"intents__{CHAT}__workflow": flow})
    what = alone(both, at(0.01, **{f"intents__{CHAT}__workflow": None}), models=two(latency=SLOW))
    assert answers(played(what, [task(0), task(5), task(40)])) == [
        "task.0.0 cheap 0 10 none",
        "draft.0.0 cheap 5 15 none",
        "check.0.0 cheap 15 25 none",
        "task.0.0 cheap 40 50 none",
    ]


def test_a_workflow_that_grows_keeps_every_law_and_its_record(tmp_path) -> None:
    grown = {"plan": FLOW["plan"], "write": FLOW["write"], "test": FLOW["test"]}
    steps = {"groups.a.intents.CHAT_COMPLETION.workflow": grown}
    events = [
        {"at_h": 0.5, "set": steps | {"groups.a.retries": 1}},
        {"at_h": 1, "set": {"groups.a.intents.CHAT_COMPLETION.workflow.docs": FLOW["docs"],
                            "groups.a.session": "{sticky: true}"}},
        {"at_h": 1.5, "set": {"groups.a.intents.CHAT_COMPLETION.workflow": None}},
    ]  # fmt: skip
    crowd = {"a": group(200, count=2, deadline_s=600), "b": group(100, retries=2)}
    what = scenario({"m": model(quality={CHAT: 0.7, CODE: 0.7})}, crowd, events=events, horizon_h=2)
    frames = lawful(what)
    by = frames.calls.group_by("step", half=pl.col("posted_us") // (H // 2)).len().sort("half")
    steps_of = {
        half: set(by.filter((pl.col("half") == half) & (pl.col("len") > 20))["step"])
        for half in range(4)
    }
    assert steps_of[0] == {"task"}
    assert steps_of[1] == {"task", "plan", "write", "test"}
    assert steps_of[2] == {"task", "plan", "write", "test", "docs"}
    assert steps_of[3] == {"task"}
    save(tmp_path, frames, None)
    assert figures(load(tmp_path).frames) == figures(frames)


def test_a_budget_of_a_day_counts_what_the_day_had_cost_before_it() -> None:
    day = at(0.001, budget_per_day_usd="0.025")
    frames = played(alone(day), [task(0), task(1), task(5), task(9), task(DAY_S)])
    assert fates(frames) == [
        "0 1 succeeded none 1", "1 1 succeeded none 2", "2 0 rejected day_budget 5",
        "3 0 rejected day_budget 9", f"4 1 succeeded none {DAY_S + 1}",
    ]  # fmt: skip


def test_a_budget_of_a_day_that_is_cut_below_what_was_spent_is_kept_by_law() -> None:
    events = [at(12, budget_per_day_usd="1"), at(36, budget_per_day_usd=None)]
    frames = lawful(alone(*events, budget_per_day_usd=8))
    refused = frames.tasks.filter(pl.col("reason") == "day_budget")
    days = frames.calls.group_by(day=pl.col("posted_us") // (24 * H))
    cost = dict(days.agg(pl.col("charge_micros").sum() / 1e6).iter_rows())
    assert 1 < cost[0] <= 8
    assert cost[1] > 7
    posted = refused["posted_us"] // H
    assert posted.min() == 12
    assert posted.max() == 35


def test_what_costs_nothing_is_had_when_a_budget_is_cut_below_what_was_spent() -> None:
    models = {"dear": model("0.10", quality={CHAT: 0.9}), "free": model(0, quality={CHAT: 0.5})}
    what = scenario(
        models, {"a": group(60, budget_per_day_usd=8)}, horizon_h=24,
        events=[at(12, budget_per_day_usd="0.1")], router={"kind": "leaderboard"},
    )  # fmt: skip
    late = lawful(what).calls.filter(pl.col("posted_us") >= 12 * H)
    assert set(late["model"]) == {"free"}


def test_a_budget_of_a_task_is_that_of_the_time_at_which_it_was_posted() -> None:
    what = alone(at(0.001, budget_per_task_usd="0.025"), retries=4, models=two(latency=SLOW))
    wrong = [task(each, difficulty=WRONG) for each in (0, 5)]
    assert fates(played(what, wrong)) == ["0 5 failed wrong 50", "1 2 failed task_budget 25"]


def test_who_escalates_from_a_time_on_does_not_with_what_was_begun() -> None:
    ladder = {"kind": "ladder", "models": ["cheap", "dear"]}
    what = alone(at(0.001, escalation=ladder), retries=1, models=two(latency=SLOW))
    calls = played(what, [task(each, difficulty=WRONG) for each in (0, 5)]).calls
    made = calls.sort("task_id", "attempt").select("task_id", "model").rows()
    assert made == [(0, "cheap"), (0, "cheap"), (1, "cheap"), (1, "dear")]


def test_who_gives_up_from_a_time_on_sees_through_what_was_begun() -> None:
    what = alone(at(0.001, give_up__after_calls=2), retries=3, models=two(latency=SLOW))
    assert fates(played(what, [task(each, difficulty=WRONG) for each in (0, 5)])) == [
        "0 4 failed wrong 40", "1 2 failed gave_up 25",
    ]  # fmt: skip


def test_a_session_that_begins_makes_turns_of_the_tasks_from_then_on() -> None:
    frames = ran(alone(at(24, session={"idle_min": 60}), at(48, session=None)))
    day = frames.calls.group_by(day=pl.col("posted_us") // (24 * H)).agg(
        least=pl.col("input_tokens").min(), most=pl.col("input_tokens").max(),
        cached=pl.col("cached_tokens").sum() > 0,
    ).sort("day")  # fmt: skip
    assert [row["most"] > 1000 for row in day.iter_rows(named=True)] == [False, True, False]
    assert day["cached"].to_list() == [False, True, False]
    assert day["least"].to_list() == [1000, 1000, 1000]


def test_who_begins_to_learn_knows_what_it_has_seen_before() -> None:
    models = {
        "bad": model("0.01", quality={CHAT: 0.2}, declared_quality={CHAT: 0.9}),
        "good": model("0.011", quality={CHAT: 0.9}, declared_quality={CHAT: 0.9}),
    }
    unmoved = {"kind": "median", "noise": 0, "score": {"kind": "ewma", "weight": 0.000_01}}
    # It looks beyond a call from the start, or it would have kept nothing in mind.
    crowd = {"a": group(60, learning={"prior_answers": 1}, give_up={"after_calls": 9})}
    event = at(24, learning={"prior_answers": 1})
    for learning in (None, {"prior_answers": 1}):
        crowd["a"] |= {"learning": learning} if learning else {}
        if not learning:
            del crowd["a"]["learning"]
        what = scenario(models, crowd, router={"kind": "cheapest"}, events=[event],
                        validators=unmoved, horizon_h=48)  # fmt: skip
        late = ran(what).calls.filter(pl.col("posted_us") >= 24 * H)
        assert len(late.filter(pl.col("model") == "good")) > 0.99 * len(late)


def test_a_machine_of_ones_own_is_there_from_its_time_to_its_end_and_paid_for_so_long() -> None:
    own = {"model": "cheap", "usd_per_hour": "0.50", "slots": 4, "review_h": 2}
    dearer = at(20, outside__self_host__usd_per_hour="0.55")
    events = [at(10, outside={"self_host": own}), dearer, at(30, outside=None)]
    frames = lawful(alone(*events, models=two(latency=FAST)))
    made = [(row["decision"], row["time_us"] / H) for row in frames.decisions.iter_rows(named=True)]
    first = made[0][1]
    assert [each for each, _ in made] == ["self_host", "stop_hosting"]
    assert 12 <= first < 13
    assert made[1][1] == 30
    paid = round((20 - first) * 500_000 + 10 * 550_000)
    assert figures(frames).conduct.self_host_micros == pytest.approx(paid, abs=1)
    assert frames.own_answers["started_us"].is_between(round(first * H), 30 * H).all()


def test_another_machine_is_taken_only_after_another_review() -> None:
    own = {"model": "cheap", "usd_per_hour": "0.20", "slots": 4, "review_h": 2}
    event = at(9, outside__self_host__slots=8)
    frames = lawful(alone(event, models=two(latency=FAST), outside={"self_host": own}))
    made = [(row["decision"], row["time_us"] / H) for row in frames.decisions.iter_rows(named=True)]
    assert [each for each, _ in made] == ["self_host", "stop_hosting", "self_host"]
    assert made[1][1] == 9
    assert made[2][1] == pytest.approx(11)


def test_an_event_on_something_else_lets_the_reviews_of_hosting_come_as_they_were_to() -> None:
    """Sixty answers an hour are 60 cents, less than 70: nineteen hours of them are not one review.

    The machine's own new price begins a new review, which looks at no hour before it.
    """
    own = {"model": "cheap", "usd_per_hour": "0.70", "slots": 4, "review_h": 10}
    late = at(9, lateness={"soft_deadline_s": 10})
    for event in (late, at(9, outside__self_host__usd_per_hour="0.69")):
        what = alone(event, models=two(latency=FAST), outside={"self_host": own})
        assert lawful(what).decisions.is_empty()
    own |= {"usd_per_hour": "0.50"}
    what = alone(late, models=two(latency=FAST), outside={"self_host": own})
    (made,) = lawful(what).decisions["time_us"]
    assert made == pytest.approx(10 * H, abs=H // 10)


def test_who_begins_to_host_has_the_weights_of_that_time() -> None:
    """The model is better from the tenth hour on; hosting pays only from the twentieth on."""
    own = {"model": "cheap", "usd_per_hour": "1", "slots": 20, "review_h": 2}
    better = {"at_h": 10, "set": {f"models.cheap.quality.{CHAT}": 0.99}}
    what = alone(
        better, at(20, arrival__per_hour=300), models=two(latency=FAST), outside={"self_host": own},
        intents={CHAT: demand()},
    )  # fmt: skip
    frames = lawful(what)
    assert frames.decisions["decision"].to_list() == ["self_host"]
    right = (frames.own_answers["reason"] == "none").mean()
    assert len(frames.own_answers) > 1000
    assert right == pytest.approx(0.99, abs=0.01)


def test_who_may_leave_from_a_time_on_looks_back_and_comes_back_by_the_terms_it_left_under() -> (
    None
):
    poor = {"m": model(quality={CHAT: 0.1})}
    leave = {"leave": {"success_below": 0.5, "over_tasks": 10, "away_h": 5}}
    frames = lawful(alone(at(20, outside=leave), at(22, outside=None), models=poor))
    made = [(row["decision"], row["time_us"] / H) for row in frames.decisions.iter_rows(named=True)]
    assert [each for each, _ in made] == ["leave", "return"]
    assert 20 <= made[0][1] < 20.6
    assert made[1][1] == pytest.approx(made[0][1] + 5)


def test_what_a_late_success_is_worth_goes_by_when_its_task_was_posted() -> None:
    late = at(0.001, lateness={"soft_deadline_s": 5, "value_left": 0})
    frames = played(alone(late, models=two(latency=SLOW)), [task(0, 20), task(5, 20)])
    # The group's deadline is a minute: of the second, 5 of 55 seconds are over.
    told = figures(frames).groups["a"].value_micros
    assert told == 500_000 + 500_000 - 500_000 * 5 // 55


def test_what_tasks_are_worth_may_be_drawn_from_a_time_on() -> None:
    frames = lawful(alone(at(24, values={"kind": "uniform", "low": 0, "high": 1})))
    late = frames.tasks["posted_us"] >= 24 * H
    assert set(frames.tasks.filter(~late)["value_micros"]) == {500_000}
    assert frames.tasks.filter(late)["value_micros"].n_unique() > 1000


CHANGES: dict[str, object] = {
    "retries": {"retries": 3},
    "workflow": {f"intents__{CHAT}__workflow": {"one": {}, "two": {"after": ["one"]}}},
    "day": {"budget_per_day_usd": "1"},
    "task": {"budget_per_task_usd": "0.02"},
    "lateness": {"lateness": {"soft_deadline_s": 1}},
    "escalation": {"escalation": {"kind": "rising-floor", "start": 0.1, "rise": 0.2}},
    "give_up": {"give_up": {"beyond_value": True}},
    "session": {"session": {"sticky": True, "idle_min": 10}},
    "learning": {"learning": {"explore": 0.3}},
    "outside": {"outside": {"leave": {"success_below": 0.99, "over_tasks": 5, "away_h": 1}}},
    "values": {"values": {"kind": "uniform"}},
}


@pytest.mark.parametrize("change", CHANGES)
def test_until_an_event_on_conduct_begins_all_is_as_without_it(change: str) -> None:
    crowd = {"a": group(60, count=2, retries=1, intents={CHAT: demand(1, 0.5)}), "b": group(60)}
    models = {"m": model(quality={CHAT: 0.6}), "n": model("0.02", quality={CHAT: 0.7})}
    said = CHANGES[change]
    assert isinstance(said, dict)
    plain, changed = (
        lawful(scenario(models, crowd, events=events, horizon_h=24))
        for events in ([], [at(12, **said)])
    )
    own = ("answer_hash", "settled_id", "batch")
    for one, other, key in ((plain.calls, changed.calls, "finished_us"),
                            (plain.tasks, changed.tasks, "ended_us")):  # fmt: skip
        early = [each.filter(pl.col(key) < 12 * H) for each in (one, other)]
        assert early[0].drop(own, strict=False).rows() == early[1].drop(own, strict=False).rows()
        assert len(early[0]) > 500
    assert plain.digest != changed.digest or change == "lateness"
    # Law 6: what others ask for is not touched by it.
    others = [
        each.tasks.filter(pl.col("group") == "b").select("posted_us", "value_micros").rows()
        for each in (plain, changed)
    ]
    assert others[0] == others[1]
