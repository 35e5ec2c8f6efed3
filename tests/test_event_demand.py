"""Events that change demand: what was posted before them, and others' tasks, stay (law 6)."""

from collections import Counter

import pytest

from sim.agents import agents
from sim.facts import Task
from sim.units import US_PER_HOUR
from tests.scenarios_for_tests import CHAT, demand, group, model, ran, scenario

H = US_PER_HOUR


def test_a_surge_multiplies_arrivals_for_its_time_only() -> None:
    crowd = {"a": group(60, count=20)}
    event = {"at_h": 8, "kind": "surge", "factor": 5, "for_h": 8}
    counts = Counter(
        time // (8 * H) for time in ran(scenario(groups=crowd, events=[event])).tasks["posted_us"]
    )
    mean = 60 * 20 * 8
    assert counts[0] == pytest.approx(mean, abs=4 * mean**0.5)
    assert counts[1] == pytest.approx(5 * mean, abs=4 * (5 * mean) ** 0.5)
    assert counts[2] == pytest.approx(mean, abs=4 * mean**0.5)


PATTERN = {"daily": [0.5] * 12 + [1.5] * 12}
LAWS = {
    "poisson": {"kind": "poisson", "per_hour": 60},
    "gamma": {"kind": "gamma", "per_hour": 60, "cv": 3},
    "bursts": {"kind": "bursts", "per_hour": 60, "on_s": 300, "off_s": 300},
    "regular": {"kind": "regular", "per_hour": 60},
    "patterned": {"kind": "gamma", "per_hour": 60, "cv": 2, "pattern": PATTERN},
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(
    "change",
    [
        {"groups.a.arrival.per_hour": 200},
        {"groups.a.arrival": {"kind": "poisson", "per_hour": 7}},
        {"groups.a.arrival.pattern": {"weekly": [1, 2, 1, 2, 1, 2, 1]}},
        {"groups.a.intents": {CHAT: demand(1, 0.5)}, "validators": {"kind": "median", "count": 3}},
    ],
    ids=["rate", "another law", "pattern", "sizes and judges"],
)
def test_tasks_before_an_event_and_those_of_others_are_as_without_it(
    law: str, change: dict[str, object]
) -> None:
    models = {"m": model(quality={CHAT: 0.7})}
    crowd = {"a": group(60, count=2, arrival=LAWS[law]), "b": group(60, arrival=LAWS[law])}
    judged = {"validators": {"kind": "median", "count": 5, "noise": 0.2}}
    event = {"at_h": 30, "set": change}
    plain = agents(scenario(models, crowd, horizon_h=90, **judged))
    changed = agents(scenario(models, crowd, horizon_h=90, events=[event], **judged))
    for number in (0, 1, 2):
        one: list[Task] = []
        other: list[Task] = []
        for agent, found in ((plain[number], one), (changed[number], other)):
            for each in agent.tasks:
                if each.posted_us >= 60 * H:
                    break
                found.append(each)
        early = [each for each in one if each.posted_us < 30 * H]
        assert other[: len(early)] == early
        assert all(each.posted_us >= 30 * H for each in other[len(early) :])
        if number == 2 and "validators" not in change:
            assert one == other
        elif number < 2:
            assert one != other
        times = [each.posted_us for each in other]
        assert times == sorted(times)


def test_a_rate_that_changes_keeps_its_renewal_process_on_a_faster_clock() -> None:
    crowd = {"a": group(60, count=1, arrival=LAWS["gamma"])}
    event = {"at_h": 10, "set": {"groups.a.arrival.per_hour": 120}}
    plain = next(iter(agents(scenario(groups=crowd))))
    fast = next(iter(agents(scenario(groups=crowd, events=[event]))))
    for _ in range(2000):
        one, other = next(plain.tasks).posted_us, next(fast.tasks).posted_us
        expected = one if one < 10 * H else 10 * H + (one - 10 * H) / 2
        assert other == pytest.approx(expected, abs=2)
