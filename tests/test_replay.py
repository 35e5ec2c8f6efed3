"""Replay: figures worked out by hand, what routers may know, and that nothing depends on order."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.facts import ScenarioError, Task
from sim.replay import Settings, Table, replay
from sim.replay.asked import asked
from sim.replay.baselines import coin, oracle
from sim.replay.known import Known
from sim.replay.play import Played, Terms, play
from sim.replay.training import Training
from sim.report.hull import concave_hull
from sim.routers import Pool
from tests.replay_helpers import PAIR, outcomes, row, table

TERMS = Terms(400_000, 0)


def test_single_models_are_exact() -> None:
    found = replay(PAIR)
    weak, strong = row(found, "single", model="m0"), row(found, "single", model="m1")
    assert (weak.success, strong.success) == (0.5, 0.75)
    assert (weak.cost_usd_per_task, strong.cost_usd_per_task) == (1.25, 3.5)
    assert (weak.cost_usd_per_success, strong.cost_usd_per_success) == (2.5, 14 / 3)
    assert weak.exact
    assert (weak.strong_share, strong.strong_share) == (0.0, 1.0)
    assert (weak.pgr, strong.pgr, weak.apgr, weak.cpt_80) == (0.0, 1.0, 0.5, 0.8)
    assert strong.shares == {"m0": 0.0, "m1": 1.0}


def test_the_oracle_takes_the_cheapest_that_is_right_else_the_cheapest() -> None:
    found = row(replay(PAIR), "oracle")
    assert (found.success, found.cost_usd_per_task) == (1.0, (4 + 4 + 2 + 1) / 4)
    assert found.gap_to_oracle == 0
    hopeless = table([[0, 0, 0]], [[3, 1, 2]])
    assert oracle(hopeless).calls.tolist() == [[0, 1, 0]]
    graded = table([[0.2, 0.7, 0.7]], [[1, 3, 2]])
    assert oracle(graded).calls.tolist() == [[0, 0, 1]]


def test_random_is_an_expectation() -> None:
    found = row(replay(PAIR), "random")
    assert (found.success, found.cost_usd_per_task, found.strong_share) == (0.625, 2.375, 0.5)
    assert (found.apgr, found.cpt_50) == (0.5, 0.5)
    assert coin(PAIR).success.tolist() == [0.5, 0.5, 1, 0.5]


def test_the_oracles_apgr_is_the_area_under_its_curve() -> None:
    # Half of the tasks gain, a quarter does not matter, a quarter loses; the gap is a quarter.
    areas = [0.5 * 2 / 2, 0.25 * 2, 0.25 * (2 + 1) / 2]
    found = row(replay(PAIR), "oracle")
    assert found.apgr == pytest.approx(sum(areas))
    assert found.cpt_50 == pytest.approx(0.125)
    assert found.cpt_80 == pytest.approx(0.2)


def test_the_zero_router_is_the_hull_of_the_single_models() -> None:
    found = replay(outcomes(300, 5))
    singles = [each for each in found.rows if each.name == "single"]
    points = [(each.cost_usd_per_task or 0.0, each.success) for each in singles]
    assert list(found.zero) == concave_hull(points)
    assert all((each.zero_gap or 0.0) <= 1e-12 for each in singles)
    assert (row(found, "oracle").zero_gap or 0.0) > 0


@given(st.integers(1, 40), st.integers(2, 9))
def test_folds_are_even_and_no_task_is_left_out(tasks: int, folds: int) -> None:
    training = Training(table([[1.0]] * tasks), 1, folds)
    sizes = [len(training.rows(fold)) for fold in range(training.folds)]
    assert sum(sizes) == tasks
    assert max(sizes) - min(sizes) <= 1


def test_every_fold_has_its_part_of_every_domain() -> None:
    made = outcomes(101)
    training = Training(made, 3, 5)
    for domain in range(2):
        sizes = np.bincount(training.fold[made.domain == domain], minlength=5)
        assert sizes.max() - sizes.min() <= 1


def test_a_score_is_the_mean_over_the_other_folds_tasks_of_the_domain() -> None:
    made = outcomes(60)
    training = Training(made, 5, 5)
    for fold in range(5):
        pool = Known(training, online=False).at(fold)
        for domain in range(2):
            others = (training.fold != fold) & (made.domain == domain)
            means = made.success[others].mean(axis=0)
            assert pool.scores[domain] == np.rint(means * 1e6).astype(int).tolist()


def test_a_domain_that_the_other_folds_lack_takes_the_mean_of_all() -> None:
    made = replace(
        table([[1.0], [0.0], [1.0], [0.0]]), domains=("a", "b"), domain=np.array([0, 0, 0, 1])
    )
    training = Training(made, 1, 4)
    pool = Known(training, online=False).at(int(training.fold[3]))
    assert pool.scores[1] == [666_667]
    assert Known(Training(table([[1.0]]), 1, 5), online=False).scores == [[500_000]]


def test_costs_are_in_millionths_of_a_micro() -> None:
    made = table([[1.0, 1.0]] * 4, [[1e-6, 2.0]] * 4)
    training = Training(made, 1, 2)
    pool: Pool = Known(training, online=False)
    task = next(training.tasks(np.array([0]), 0))
    assert pool.expected_costs(task, [1, 0]) == [2 * 10**12, 10**6]


def played(name: str, made: Table) -> Played:
    player = asked(name, made).player
    assert player is not None
    return play(name, player, Training(made, 1, 5), TERMS)


def test_no_router_sees_its_own_task() -> None:
    """A task's outcome may change what it earns, not what is picked for it."""
    made = outcomes(50)
    flipped = made.success.copy()
    flipped[7] = 1 - flipped[7]
    other = replace(made, success=flipped)
    for name in ("quality-floor:floor=0.6", "willingness-to-pay:value_usd=0.001", "by-domain"):
        one, two = (played(name, each) for each in (made, other))
        assert one.calls[7].tolist() == two.calls[7].tolist()


def test_the_routers_are_the_simulations_own() -> None:
    made = outcomes(400)
    found = replay(made, ["cheapest", "leaderboard:shares_percent=[100]", "quality-floor:floor=1"])
    cheap, first, floor = found.rows[-3:]
    assert cheap.cost_usd_per_task == row(found, "single", model="m0").cost_usd_per_task
    assert first.success == floor.success == row(found, "single", model="m2").success
    assert first.params["shares_percent"] == [100]


def test_the_same_seed_gives_the_same_figures_whatever_the_files_order() -> None:
    made = outcomes(120)
    routers = ["random", "leaderboard", "by-domain"]
    one, two = (replay(made, routers, Settings(seed)).document() for seed in (1, 1))
    assert json.dumps(one) == json.dumps(two)
    other = replay(made, routers, Settings(2)).document()
    assert json.dumps(one) != json.dumps(other)


def test_a_wrong_answer_is_tried_again_and_paid_again() -> None:
    found = replay(PAIR, ["cheapest"], Settings(retries=2)).rows[-1]
    assert (found.success, found.calls_per_task) == (0.5, (3 + 3 + 1 + 1) / 4)
    assert found.cost_usd_per_task == (3 + 3 + 2 + 1) / 4


def test_a_router_that_weighs_costs_needs_them() -> None:
    bare = replace(PAIR, cost_usd=None)
    with pytest.raises(ScenarioError, match=r"cheapest: found a table without cost_usd"):
        replay(bare, ["cheapest"])
    found = replay(bare, ["leaderboard"])
    assert found.zero == ()
    described = found.document()["table"]
    assert isinstance(described, dict)
    assert described["aiq"] is None
    assert all(
        each.cost_usd_per_task is each.aiq is each.arena_score is None for each in found.rows
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cheepest", "did you mean cheapest"),
        ("quality-floor", "floor: found nothing"),
        ("quality-floor:floor=2", "less than or equal to 1"),
        ("cheapest:x=1", "x: found 1"),
        ("single:model=m9", "single:model=NAME with one of m0, m1"),
        ("oracle:x=1", "no parameters"),
        ("leaderboard:shares_percent", "KEY=VALUE"),
    ],
)
def test_a_router_that_is_not_known_or_does_not_fit_is_a_fault(text: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        replay(PAIR, [text])


def test_every_faulty_router_is_told_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        replay(PAIR, ["nope", "cheapest", "quality-floor"])
    assert len(caught.value.faults) == 2


def test_settings_that_do_not_fit_are_told() -> None:
    with pytest.raises(ScenarioError) as caught:
        replay(PAIR, (), Settings(retries=-1, value_usd=Decimal("0.00000001")))
    assert [fault.path for fault in caught.value.faults] == ["--retries", "--value-usd"]
    with pytest.raises(ScenarioError, match="--folds"):
        replay(PAIR, (), Settings(folds=1))


class Odd:
    """Picks what is not on offer."""

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: Known) -> int:
        del task, attempt, pool
        return len(models)


class Memory:
    """Learns which model was right on tasks of the same length, and picks that."""

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: Known) -> int:
        del attempt, models
        known = pool.notes.setdefault(task.intent, {})
        assert isinstance(known, dict)
        for lesson in pool.lessons(task.intent):
            if lesson.score_ppm:
                known[lesson.task.input_tokens] = lesson.model
        found: int = known.get(task.input_tokens, 0)
        return found


def test_a_router_that_picks_no_model_is_a_fault() -> None:
    with pytest.raises(ScenarioError, match="2 picks such as 2"):
        play("odd", Odd(), Training(PAIR, 1, 2), TERMS)


def test_a_router_that_learns_has_seen_the_other_folds_and_no_more() -> None:
    lengths = np.array([[10.0] * 2, [20.0] * 2] * 10)
    made = replace(table([[1.0, 0.0], [0.0, 1.0]] * 10), input_tokens=lengths)
    assert play("memory", Memory(), Training(made, 1, 5), TERMS).success.mean() == 1
    alone = replace(made, input_tokens=np.arange(40.0).reshape(20, 2))
    assert play("memory", Memory(), Training(alone, 1, 5), TERMS).calls[:, 0].all()


def test_length_and_domain_rank_tasks_better_than_a_coin() -> None:
    found = replay(outcomes(3000, 2), ["longest-prompt:tokens=150", "by-domain"])
    by_length, by_domain = found.rows[-2:]
    assert (by_length.apgr or 0) > 0.55
    assert (by_domain.apgr or 0) > 0.5
    assert 0.3 < (by_length.strong_share or 0) < 0.7
    assert set(found.curves) == {"oracle", by_length.label, by_domain.label}


def test_the_longest_prompt_goes_to_the_strong_model() -> None:
    tokens = np.array([[5.0] * 2, [500.0] * 2] * 5)
    made = replace(table([[1.0, 1.0], [0.0, 1.0]] * 5), input_tokens=tokens)
    found = replay(made, ["longest-prompt:tokens=100"]).rows[-1]
    assert (found.success, found.strong_share) == (1.0, 0.5)
    assert found.apgr == pytest.approx(0.25 + 0.5)


def test_a_ratio_without_success_has_no_interval() -> None:
    found = replay(table([[0.0], [0.0]], [[1], [1]])).rows[0]
    assert found.cost_usd_per_success is None
    assert found.cost_usd_per_success_interval is None
    assert found.cost_usd_per_task_interval == (1.0, 1.0)


def test_the_bootstrap_does_not_depend_on_the_routers() -> None:
    made = outcomes(100)
    alone = row(replay(made), "oracle").success_interval
    assert row(replay(made, ["random", "cheapest"]), "oracle").success_interval == alone


def test_twenty_four_models_and_ten_routers_are_quick() -> None:
    start = time.process_time()
    values = ["0.001", "0.01", "0.1"]
    routers = ["cheapest", "leaderboard", "random", "by-domain", "longest-prompt"]
    routers += ["quality-floor:floor=0.6", "quality-floor:floor=0.8"]
    routers += [f"willingness-to-pay:value_usd={value}" for value in values]
    assert len(replay(outcomes(500, 24), routers).rows) == 24 + 1 + 10
    assert time.process_time() - start < 8.0
