"""Demand: what agents post is their own, and of the sizes and shares that a scenario asks for."""

from collections import Counter
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import arrivals
from sim.agents import TOKENS_MAX, agents
from sim.facts import Task
from sim.scenario import Scenario
from sim.units import PPM
from tests.scenarios_for_tests import CHAT, CODE, demand, group, lively, model, ran, scenario

BOTH = {CHAT: demand(3, 0.8), CODE: demand(1, 0.4)}
MODELS = {"m": model(quality={CHAT: 0.7, CODE: 0.7})}


def posted(what: Scenario, count: int = 40) -> dict[str, list[Task]]:
    """The first tasks of every agent, by its name."""
    return {agent.name: list(islice(agent.tasks, count)) for agent in agents(what)}


def many(count: int = 20_000, **changes: object) -> list[Task]:
    """The tasks of one agent of a group."""
    what = scenario(MODELS, {"a": group(3600, **{"intents": BOTH, **changes})})
    return posted(what, count)["a/0"]


def crowd(seed: int = 1, **changes: object) -> Scenario:
    groups = {"a": group(count=2, intents=BOTH), "c": group(30)}
    return scenario(MODELS, groups, seed=seed, **changes)


CHANGES: list[dict[str, object]] = [
    {"groups": {"a": group(count=3, intents=BOTH), "c": group(30)}},
    {"groups": {"a": group(count=2, intents=BOTH), "b": group(count=9), "c": group(30)}},
    {"groups": {"a": group(count=2, intents=BOTH)}},
    {"models": {**MODELS, "another": model("0.02")}},
    {"models": {"other": model(quality={CHAT: 0.1, CODE: 0.2})}},
    {"router": {"kind": "random"}},
    {"rail": {"kind": "batch", "size": 1, "settle_on": "success"}},
    {"horizon_h": 1},
]


@pytest.mark.parametrize("changes", CHANGES)
@settings(max_examples=10)
@given(st.integers(0, 2**63 - 1))
def test_whatever_changes_around_them_agents_post_the_same_tasks(
    changes: dict[str, object], seed: int
) -> None:
    before, after = posted(crowd(seed)), posted(crowd(seed, **changes))
    assert before
    for name in before.keys() & after.keys():
        assert before[name] == after[name]


def test_in_a_run_too_tasks_do_not_depend_on_the_router() -> None:
    columns = ["agent", "intent", "posted_us"]
    runs = [ran(lively(200, router={"kind": kind})) for kind in ("random", "cheapest")]
    assert runs[0].digest != runs[1].digest
    assert runs[0].tasks.select(columns).equals(runs[1].tasks.select(columns))


@given(st.integers(0, 2**32))
def test_agents_and_seeds_differ_from_one_another(seed: int) -> None:
    one, other = posted(crowd(seed), 20), posted(crowd(seed + 1), 20)
    streams = [tuple(task[3:9] for task in tasks) for tasks in (*one.values(), *other.values())]
    assert len(set(streams)) == 6


def test_a_groups_price_limits_do_not_move_its_tasks() -> None:
    plain, dear = many(100), many(100, max_price_usd="0.25", value_usd="0.4", deadline_s=2.5)
    assert [task[2:9] for task in plain] == [task[2:9] for task in dear]
    assert {task.limit_micros for task in dear} == {250_000}
    assert {task.value_micros for task in dear} == {400_000}
    assert {task.deadline_us - task.posted_us for task in dear} == {2_500_000}


def test_agents_are_numbered_group_by_group() -> None:
    found = agents(crowd())
    assert [agent.name for agent in found] == ["a/0", "a/1", "c/0"]
    assert [agent.index for agent in found] == [0, 1, 2]
    assert [agent.group for agent in found] == [0, 0, 1]
    assert {agent.budget_micros for agent in found} == {1_000_000_000}


def test_intents_come_in_their_shares() -> None:
    tasks = many()
    named = scenario().intents
    counts = Counter(named[task.intent] for task in tasks)
    assert set(counts) == {CHAT, CODE}
    assert counts[CODE] / len(tasks) == pytest.approx(0.25, abs=4 * (0.1875 / 20_000) ** 0.5)


@pytest.mark.parametrize(("intent", "sigma"), [(CHAT, 0.8), (CODE, 0.4)])
def test_sizes_are_lognormal_about_their_medians(intent: str, sigma: float) -> None:
    place = scenario().intents.index(intent)
    tasks = [task for task in many(40_000) if task.intent == place]
    for size, median in (("input_tokens", 1000), ("output_tokens", 100)):
        logs = np.log([getattr(task, size) for task in tasks])
        bound = 4 * sigma / len(tasks) ** 0.5
        assert np.log(median) - bound - 0.01 < logs.mean() < np.log(median) + bound
        assert logs.std() == pytest.approx(sigma, rel=0.03)
        skew = (((logs - logs.mean()) / logs.std()) ** 3).mean()
        assert abs(skew) < 0.1


def test_sizes_have_a_least_and_a_greatest() -> None:
    tiny = {"median": 0.4}
    huge = {"median": 1e7, "sigma": 5}
    tasks = many(2_000, intents={CHAT: demand(input_tokens=tiny, output_tokens=huge)})
    assert {task.input_tokens for task in tasks} == {1}
    assert max(task.output_tokens for task in tasks) == TOKENS_MAX
    assert min(task.output_tokens for task in tasks) >= 1


def test_sizes_are_rounded_to_whole_tokens() -> None:
    tasks = many(50, intents={CHAT: demand(input_tokens={"median": 2.6})})
    assert {task.input_tokens for task in tasks} == {3}


def test_difficulty_is_normal_as_asked_for() -> None:
    hard = demand(difficulty={"mean": 0.5, "sigma": 2})
    found = np.array([task.difficulty for task in many(intents={CHAT: hard})]) / PPM
    assert found.mean() == pytest.approx(0.5, abs=4 * 2 / 20_000**0.5)
    assert found.std() == pytest.approx(2, rel=0.03)


def test_what_is_random_about_a_task_is_independent() -> None:
    tasks = many(intents={CHAT: demand(1, 1)})
    columns = [
        np.diff([task.posted_us for task in tasks], prepend=0),
        [task.draw / 2**64 for task in tasks],
        *(
            np.array([getattr(task, name) for task in tasks], np.float64)
            for name in ("difficulty", "service", "judgement_ppm")
        ),
        np.log([task.input_tokens for task in tasks]),
        np.log([task.output_tokens for task in tasks]),
    ]
    judged = scenario(MODELS, {"a": group(intents=BOTH)}, validators={"noise": 0.1})
    columns[4] = np.array([t.judgement_ppm for t in posted(judged, 20_000)["a/0"]], np.float64)
    found = np.corrcoef(np.array(columns)) - np.eye(len(columns))
    assert abs(found).max() < 0.035


def test_draws_are_64_uniform_bits() -> None:
    draws = [task.draw for task in many()]
    for bit in range(64):
        assert sum(draw >> bit & 1 for draw in draws) == pytest.approx(10_000, abs=5 * 70.7)


def test_service_noise_is_standard_normal() -> None:
    found = np.array([task.service for task in many()]) / PPM
    assert (found.mean(), found.std()) == pytest.approx((0, 1), abs=0.03)


def test_tasks_do_not_depend_on_the_size_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    what = lively(1)
    plain = posted(what, 300)

    class Sevens:
        def next(self) -> int:
            return 7

    monkeypatch.setattr(arrivals, "BlockSizes", Sevens)
    assert posted(what, 300) == plain
