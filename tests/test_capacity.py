"""Capacity: autoscaling, slowing down under load, and limits of calls a minute."""

from collections import Counter

import polars as pl
import pytest

from sim.facts import ScenarioError, Task
from sim.laws import Evidence, check
from sim.metrics import figures
from sim.record.frames import Frames
from sim.scenario import Scenario
from sim.units import US_PER_MINUTE, US_PER_S
from sim.world import World
from tests.bad_scenarios import faults_of
from tests.scenarios_for_tests import (
    group,
    lively,
    model,
    play,
    ran,
    record,
    scenario,
    task,
)

SCALING = {"max_slots": 6, "target_load": 0.5, "every_s": 10, "start_s": 30, "calm_s": 60}
MINUTE = {"first_token_ms": 60_000, "tokens_per_s": 1e9, "sigma": 0}


def elastic(tasks: list[Task], **changes: object) -> Frames:
    capacity = {"slots": 1, "queue": 100, "scaling": SCALING | changes}
    return record(play(scenario({"m": model(capacity=capacity, latency=MINUTE)}), tasks))


def starts(frames: Frames) -> list[int]:
    return [time // US_PER_S for time in frames.calls["started_us"]]


def test_slots_ordered_at_a_look_come_after_their_start_and_serve_who_waits() -> None:
    # Three calls by 7 s; at 10 s the load asks for 6 slots: 5 are ordered and come at 40 s.
    assert starts(elastic([task(5), task(6), task(7)])) == [5, 40, 40]


def test_the_record_says_how_many_slots_a_model_has_from_when_on() -> None:
    frames = elastic([task(5), task(6), task(7), task(301)])
    assert frames.slots["slots"].to_list() == [6, 4, 1, 2]
    assert frames.slots["time_us"][0] == 40 * US_PER_S
    event = {"at_h": 1, "set": {"models.m.capacity.slots": 3}}
    plain = ran(scenario({"m": model()}, events=[event], horizon_h=2))
    assert plain.slots.rows() == [(3600 * US_PER_S, "m", 3)]


def test_there_are_never_more_slots_than_the_most() -> None:
    found = starts(elastic([task(5 + n / 10) for n in range(20)]))
    assert Counter(found) == {5: 1, 40: 5, 65: 1, 100: 5, 125: 1, 160: 5, 185: 1, 220: 1}


def test_slots_that_are_not_wanted_go_after_the_calm_time_and_come_again_when_they_are() -> None:
    burst = [task(5), task(6), task(7)]
    soon = starts(elastic([*burst, task(140), task(141)]))
    late = starts(elastic([*burst, task(301), task(302)]))
    assert soon[3:] == [140, 141]
    assert late[3:] == [301, 340]


def test_what_is_served_when_slots_go_is_served_to_the_end() -> None:
    frames = elastic([task(5), task(6), task(7), task(95), task(96)], calm_s=10)
    assert all(frames.tasks["outcome"] == "succeeded")


def test_without_load_nothing_is_ordered() -> None:
    assert starts(elastic([task(100 * n) for n in range(5)])) == [0, 100, 200, 300, 400]


@pytest.mark.parametrize("slowdown", [0.0, 1.0, 3.0])
def test_tokens_take_longer_the_more_calls_share_the_model(slowdown: float) -> None:
    """Of five slots, each call finds 0, 1, ... 4 others: its tokens take 1 + slowdown n / 4."""
    latency = {"first_token_ms": 2000, "tokens_per_s": 1, "sigma": 0, "slowdown": slowdown}
    slow = model(capacity={"slots": 5, "queue": 0}, latency=latency)
    calls = record(play(scenario({"m": slow}), [task(n) for n in range(5)])).calls
    took = ((calls["finished_us"] - calls["started_us"]) / US_PER_S).to_list()
    assert took == pytest.approx([2 + 100 * (1 + slowdown * n / 4) for n in range(5)])


def test_a_model_of_one_slot_never_slows_down() -> None:
    latency = {"first_token_ms": 2000, "tokens_per_s": 1, "sigma": 0, "slowdown": 5}
    slow = model(capacity={"slots": 1, "queue": 9}, latency=latency)
    calls = record(play(scenario({"m": slow}), [task(n) for n in range(3)])).calls
    assert set(calls["finished_us"] - calls["started_us"]) == {102 * US_PER_S}


def limited(calls_per_minute: int, **changes: object) -> dict[str, object]:
    capacity = {"slots": 100, "queue": 0, "calls_per_minute": calls_per_minute}
    return model("0.001", capacity=capacity, **changes)


def test_who_is_refused_at_the_limit_goes_to_the_next_candidate() -> None:
    models = {"a": limited(2), "b": model("0.005")}
    what = scenario(models, router={"kind": "cheapest"})
    times = [1, 2, 3, 59, 60.5, 61, 62, 180]
    assert record(play(what, [task(t) for t in times])).calls["model"].to_list() == list("aabbaaba")


def test_alone_it_turns_the_rest_of_the_minute_away() -> None:
    what = scenario({"a": limited(1)})
    frames = record(play(what, [task(1), task(2), task(61), task(62)]))
    assert frames.tasks["reason"].to_list() == ["none", "no_capacity"] * 2


def test_no_minute_has_more_calls_than_the_limit() -> None:
    frames = ran(scenario({"a": limited(7), "b": model()}, {"g": group(900)}, horizon_h=3,
                          router={"kind": "cheapest"}))  # fmt: skip
    to_a = frames.calls.filter(pl.col("model") == "a")
    by_minute = Counter(time // US_PER_MINUTE for time in to_a["posted_us"])
    assert max(by_minute.values()) == 7
    assert sum(count == 7 for count in by_minute.values()) > 150


def test_a_limit_may_change_in_mid_run() -> None:
    event = {"at_h": 1, "set": {"models.a.capacity.calls_per_minute": 1}}
    what = scenario({"a": limited(3), "b": model()}, events=[event], router={"kind": "cheapest"})
    tasks = [task(1), task(2), task(3), task(4), task(3601), task(3602)]
    assert record(play(what, tasks)).calls["model"].to_list() == list("aaabab")


def test_all_of_it_together_keeps_the_laws() -> None:
    document = lively(400).model_dump(mode="json", exclude_none=True)
    big, small = document["models"]["big"], document["models"]["small"]
    big["capacity"]["scaling"] = {"max_slots": 5, "every_s": 2, "start_s": 3, "calm_s": 10}
    big["latency"]["slowdown"] = 2
    small["capacity"]["calls_per_minute"] = 3
    document["models"]["mid"]["honesty"] = {"kind": "substitution", "by": "big", "share": 0.5}
    world = World(Scenario.model_validate(document))
    world.run()
    frames = record(world)
    found = figures(frames)
    laws = check(Evidence.gather(frames, found, figures(frames), None, world.ledger))
    assert {name for name, law in laws.items() if not law.ok} == set()


def test_faults_of_capacity_are_found_with_their_paths() -> None:
    what = scenario({"a": model(), "b": model(), "c": model()}).model_dump(mode="json")
    what["models"]["a"]["capacity"] = {"slots": 9, "scaling": {"max_slots": 8}}
    what["models"]["b"]["capacity"] = {"calls_per_minute": 0, "scaling": {"target_load": 2}}
    what["models"]["c"]["latency"] = {"slowdown": -1}
    paths = {fault.path for fault in faults_of(what)}
    assert paths == {
        "models.a.capacity", "models.b.capacity.calls_per_minute",
        "models.b.capacity.scaling.target_load", "models.b.capacity.scaling.max_slots",
        "models.c.latency.slowdown",
    }  # fmt: skip


def test_an_event_that_leaves_the_limit_alone_leaves_its_minute_alone() -> None:
    event = {"at_h": 20 / 3600, "set": {"models.a.verbosity": 1.1}}
    frames = record(
        play(scenario({"a": limited(2)}, events=[event]), [task(t) for t in (1, 2, 30)])
    )
    assert frames.tasks["reason"].to_list() == ["none", "none", "no_capacity"]


def test_a_call_market_has_no_limit_of_calls() -> None:
    rule = {"kind": "double", "tick_s": 5}
    with pytest.raises(ScenarioError, match="no such limit in a call market"):
        scenario({"a": limited(2)}, {"g": group()}, mechanism=rule)
