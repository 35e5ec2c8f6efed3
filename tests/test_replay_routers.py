"""Every router of the simulation on a table: what it asks for, learns from, and pays."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.chance import stream
from sim.facts import ScenarioError
from sim.replay import Settings, Table, replay
from sim.replay.known import Facts, Known, NotRecordedError
from sim.replay.prices import prices_of
from sim.replay.run import Row
from sim.replay.training import Training
from sim.routers import MARKET_ROUTERS, ROUTERS
from tests.replay_helpers import PAIR, outcomes, row, table

MINE = Path(__file__).with_name("test_router_custom.py")
REQUIRED = {
    "quality-floor": "quality-floor:floor=0.6",
    "single": "single:model=m1",
    "weighted": "weighted:weights={m0: 1, m2: 3}",
    "python": f"python:file={MINE}",
}
PLAYED = [kind for kind in ROUTERS if kind not in MARKET_ROUTERS]


def full(tasks: int = 60, models: int = 3) -> Table:
    """A table with every column: dearer models answer slower, and are right more often."""
    made = outcomes(tasks, models)
    assert made.input_tokens is not None
    random = stream(8, "full")
    answers = np.rint(100 * np.exp(0.5 * random.standard_normal((tasks, models)))) + 20
    cost = (made.input_tokens + 4 * answers) * 1e-6 * 3.0 ** np.arange(models)
    seconds = 0.5 * (1 + 3 * np.arange(models)) + answers / 50
    return replace(made, cost_usd=cost, output_tokens=answers, latency_s=seconds)


def last(made: Table, router: str, retries: int = 0) -> Row:
    return replay(made, [router], Settings(retries=retries)).rows[-1]


@pytest.mark.parametrize("kind", PLAYED)
def test_every_router_that_needs_no_market_plays_on_a_full_table(kind: str) -> None:
    asked = REQUIRED.get(kind, kind)
    found = replay(full(), [asked], Settings(retries=1))
    mine = [each for each in found.rows if each.name == kind][-1]
    assert sum(mine.shares.values()) == pytest.approx(1)
    assert mine.gap_to_oracle >= 0 or mine.calls_per_task > 1
    again = replay(full(), [asked], Settings(retries=1))
    assert json.dumps(again.document()) == json.dumps(found.document())


@pytest.mark.parametrize("kind", MARKET_ROUTERS)
def test_a_router_that_needs_a_market_says_so(kind: str) -> None:
    with pytest.raises(ScenarioError, match=r"needs no market that runs: .* looks at .*telex run"):
        replay(full(), [kind])


@pytest.mark.parametrize(
    ("router", "lacks", "words"),
    [
        ("fastest", "latency_s", "a table without latency_s"),
        ("weighted-score", "latency_s", "a table without latency_s"),
        ("cheapest-list", "output_tokens", "without cost_usd and input_tokens and output_tokens"),
        ("cheapest-list", "input_tokens", "without cost_usd and input_tokens and output_tokens"),
        ("score-per-price", "latency_s", "a table without latency_s and output_tokens"),
        ("cascade", "cost_usd", "a table without cost_usd"),
        ("knn", "cost_usd", "a table without cost_usd"),
        (REQUIRED["weighted"], "nothing", ""),
        ("weighted-score:latency=0", "latency_s", ""),
        ("cascade:order=[m0,m1]", "cost_usd", ""),
        ("bandit:rule=exp3", "cost_usd", ""),
    ],
)
def test_it_says_which_column_it_misses(router: str, lacks: str, words: str) -> None:
    whole = full()
    made = {
        "cost_usd": replace(whole, cost_usd=None),
        "input_tokens": replace(whole, input_tokens=None),
        "output_tokens": replace(whole, output_tokens=None),
        "latency_s": replace(whole, latency_s=None),
    }.get(lacks, whole)
    if words:
        with pytest.raises(ScenarioError, match=words):
            replay(made, [router])
    else:
        assert replay(made, [router]).rows[-1].success > 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("weighted:weights={m0: 1, x: 2}", "found x; allowed: m0 . m1 . m2"),
        ("cascade:order=[m1,m22]", "did you mean m2"),
        ("weighted:weights={m0: 1", "router"),
        ("python:file=none.py", "none.py: found .*; allowed: a Python file .* cannot be read"),
    ],
)
def test_names_and_values_that_do_not_fit_are_faults(text: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        replay(full(), [text])


def test_weighted_and_split_keep_their_shares() -> None:
    made = full(2000, 2)
    assert last(made, "weighted:weights={m0: 1, m1: 3}").shares["m1"] == pytest.approx(
        0.75, abs=0.05
    )
    for error in (0, 2):
        split = last(made, f"split:strong_share=0.3,error={error}")
        assert split.strong_share == pytest.approx(0.3, abs=0.05)
    sharp, blunt = (last(made, f"split:strong_share=0.5,error={e}").success for e in (0, 50))
    assert sharp != blunt


def test_split_without_error_sends_the_hardest_to_the_strong_model() -> None:
    made = table([[1.0, 1.0]] * 60 + [[0.0, 1.0]] * 40, [[1.0, 9.0]] * 100)
    found = last(made, "split:strong_share=0.4,error=0")
    assert (found.success, found.strong_share) == (1.0, 0.4)


def test_fastest_takes_what_was_fastest_on_other_tasks() -> None:
    assert last(full(), "fastest").shares == {"m0": 1.0, "m1": 0.0, "m2": 0.0}


def test_list_prices_are_what_costs_on_tokens_tell() -> None:
    made = full(400)
    wanted = np.array([[1e-6, 4e-6], [3e-6, 12e-6], [9e-6, 36e-6]])
    assert prices_of(made) == pytest.approx(wanted)
    assert Facts(made).list_prices == [5_000_000, 15_000_000, 45_000_000]
    assert Facts(made).millitokens_per_s == pytest.approx([50_000] * 3, rel=0.01)
    assert Facts(made).first_token_us == pytest.approx([5e5, 2e6, 3.5e6], rel=0.01)


def test_a_cascade_pays_every_attempt_until_its_judge_accepts() -> None:
    ladder = "cascade:order=[m0,m1]"
    plain = last(PAIR, ladder, retries=1)
    assert (plain.success, plain.calls_per_task) == (1.0, 1.5)
    assert plain.cost_usd_per_task == (1 + 4 + 1 + 4 + 2 + 1) / 4
    judged = last(PAIR, f"{ladder},accept=[0.5]", retries=1)
    assert (judged.success, judged.cost_usd_per_task) == (1.0, plain.cost_usd_per_task)
    none = last(PAIR, f"{ladder},accept=[0]", retries=1)
    assert (none.success, none.calls_per_task) == (0.5, 1.0)
    graded = table([[0.6, 1.0]] * 4, [[1, 4]] * 4)
    assert last(graded, f"{ladder},accept=[0.7]", retries=1).success == 1.0
    assert last(graded, f"{ladder},accept=[0.6]", retries=1).success == pytest.approx(0.6)


def test_a_poor_judge_costs_success_and_money() -> None:
    made = full(2000, 2)
    good, poor = (
        last(made, f"cascade:order=[m0,m1],accept=[0.5],judge_error={error}", retries=1)
        for error in (0, 1)
    )
    assert good.success > poor.success


def test_a_bandit_learns_from_its_own_picks_alone() -> None:
    right = np.tile([0.2, 0.9, 0.5], (3000, 1)) > stream(1, "r").random((3000, 3))
    made = table(right.astype(float).tolist(), np.ones((3000, 3)).tolist())
    for rule in ("thompson", "ucb1", "epsilon-greedy"):
        found = last(made, f"bandit:rule={rule},cheapness=0")
        assert 0.7 < found.shares["m1"] < 1.0
        assert found.success > 0.75
    short = made.take(np.arange(30))
    assert last(short, "bandit:cheapness=0").shares["m1"] < 0.9


@pytest.mark.parametrize("kind", ["knn", "cluster"])
def test_who_learns_from_similar_tasks_is_cross_validated(kind: str) -> None:
    """Lengths decide which model is right: known from other tasks, so never better than that."""
    tokens = np.repeat(np.where(np.arange(400) % 2, 5000.0, 50.0)[:, None], 2, axis=1)
    right = np.array([[float(n % 2 == 0), float(n % 2)] for n in range(400)])
    made = replace(table(right.tolist(), [[1, 1]] * 400), input_tokens=tokens)
    assert last(made, kind).success > 0.95
    shuffled = stream(2, "noise").permutation(right)
    noise = replace(made, success=shuffled)
    assert last(noise, kind).success == pytest.approx(0.5, abs=0.1)


def test_lessons_are_the_other_folds_and_told_once() -> None:
    training = Training(full(50), 1, 5)
    pool = Known(training, online=False).at(2)
    lessons = [each for domain in (0, 1) for each in pool.lessons(domain)]
    assert len(lessons) == 3 * (50 - len(training.rows(2)))
    rows = {training.row_of(each.task) for each in lessons}
    assert not rows & set(training.rows(2).tolist())
    assert pool.lessons(0) == []
    assert pool.tried[0][0] == sum(1 for each in lessons if each.task.intent == 0) // 3
    for each in lessons:
        score = training.table.success[training.row_of(each.task), each.model]
        assert each.score_ppm == round(1e6 * score)


def test_a_table_has_no_queues_and_no_spending() -> None:
    training = Training(full(20), 1, 5)
    pool = Known(training, online=False)
    task = next(training.tasks(np.array([3]), 0))
    assert pool.loads([0, 2]) == [0, 0]
    assert pool.rights(task, 0, [0, 1, 2]) == (training.table.success[3] >= 0.5).tolist()
    with pytest.raises(NotRecordedError, match="a market that runs"):
        pool.spend(0, [0], 0)


def test_my_own_router_plays_and_its_errors_are_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def pick(task, attempt, models, pool, at=0):\n    return models[at]\n")
    found = replay(full(), [f"python:file={path},parameters={{at: 2}}"]).rows[-1]
    assert found.shares["m2"] == 1
    assert "sha256" not in found.label
    path.write_text("def pick(task, attempt, models, pool):\n    return pool.spend(0, [0], 0)\n")
    with pytest.raises(ScenarioError, match="pick raised NotRecordedError: found a recorded table"):
        replay(full(), [f"python:file={path}"])


def picks_of(made: Table, router: str) -> Sequence[float]:
    return [row(replay(made, [router]), router.partition(":")[0]).success]


def test_nothing_depends_on_which_routers_play_beside() -> None:
    made = full()
    alone = last(made, "bandit").success
    assert replay(made, ["knn", "random", "bandit"]).rows[-1].success == alone
    assert picks_of(made, "knn") == picks_of(made, "knn")
