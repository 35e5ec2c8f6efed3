"""Routers that learn from similar tasks: what they see, what they learn, and that they do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.facts import Task
from sim.routers import Lesson
from sim.routers.similar import _Clusters, _Neighbours, place_of
from sim.units import PPM
from tests.scenarios_for_tests import CHAT, demand, group, model, ran, scenario, task
from tests.test_routers import Pool, fair, picks, router

SHORT, LONG = (
    task(intent=0, input_tokens=tokens, output_tokens=tokens) for tokens in (100, 50_000)
)
KINDS = ("knn", "cluster")
PLACES = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 2), st.integers(0, PPM)),
    max_size=40,
)


def sized(inputs: int, outputs: int) -> Task:
    return task(intent=0, input_tokens=inputs, output_tokens=outputs)


def taught(repeats: int = 50) -> Pool:
    """Model 0 is right where tasks are short, model 1 where they are long."""
    lessons = [
        (each, m, PPM * right)
        for each, right_model in ((SHORT, 0), (LONG, 1))
        for m, right in ((0, right_model == 0), (1, right_model == 1))
    ]
    return Pool([PPM // 2] * 2, [1, 1], taught=lessons * repeats, online=False)


@pytest.mark.parametrize("kind", KINDS)
def test_tasks_go_where_similar_ones_went_well(kind: str) -> None:
    pool, chosen = taught(), router(kind)
    assert [chosen.pick(each, 0, [0, 1], pool) for each in (SHORT, LONG)] == [0, 1]
    assert chosen.pick(LONG, 0, [0], pool) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_alpha_weighs_performance_against_cost(kind: str) -> None:
    pool = taught()
    pool.costs = [10, 1]
    assert router(kind, alpha=1).pick(SHORT, 0, [0, 1], pool) == 0
    pool = taught()
    pool.costs = [10, 1]
    assert router(kind, alpha=0.1).pick(SHORT, 0, [0, 1], pool) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_without_lessons_the_validators_score_is_what_counts(kind: str) -> None:
    pool = Pool([3, 9, 5], [1, 1, 1], online=False)
    assert picks(router(kind, alpha=1), pool, range(3), 20) == {1: 20}


@pytest.mark.parametrize("kind", KINDS)
def test_exploring_is_for_markets_alone(kind: str) -> None:
    scores = [3, 9, 5]
    market, table = Pool(scores, [1] * 3), Pool(scores, [1] * 3, online=False)
    chosen = router(kind, explore=0.3)
    assert fair(picks(chosen, market, range(3)), {0: 10, 1: 80, 2: 10})
    assert picks(chosen, table, range(3), 200) == {1: 200}


@pytest.mark.parametrize("kind", KINDS)
def test_neither_difficulty_nor_outcome_is_seen(kind: str) -> None:
    for each in (SHORT, LONG):
        hard = each._replace(difficulty=10**9, service=10**6, judgement_ppm=PPM)
        one, other = (router(kind).pick(seen, 0, [0, 1], taught()) for seen in (each, hard))
        assert one == other


@given(PLACES, st.integers(1, 6), st.integers(0, PPM))
def test_the_mean_of_the_nearest_is_that_of_the_nearest(
    seen: list[tuple[int, int, int, int]], neighbours: int, score: int
) -> None:
    known, here = _Neighbours(3, 30, neighbours), sized(7, 20)
    for inputs, outputs, m, verdict in seen:
        known.take(Lesson(sized(inputs, outputs), m, verdict))
    x, y = place_of(here)
    for m in range(3):
        mine = [(place_of(sized(a, b)), v) for a, b, which, v in seen if which == m][-30:]
        ranked = sorted(
            ((a - x) ** 2 + (b - y) ** 2, number, verdict)
            for number, ((a, b), verdict) in enumerate(mine)
        )
        near = [verdict for _, _, verdict in ranked[:neighbours]]
        wanted = (sum(near) + score) // (len(near) + 1)
        assert known.performances((x, y), [m], [score] * 3) == [wanted]


def test_what_is_older_than_the_memory_is_forgotten() -> None:
    known = _Neighbours(1, 10, 10)
    for verdict in [0] * 50 + [PPM] * 10:
        known.take(Lesson(SHORT, 0, verdict))
    assert known.performances(place_of(SHORT), [0], [PPM]) == [PPM]


@given(PLACES)
def test_clusters_keep_every_verdict_once_and_lie_between_their_tasks(
    seen: list[tuple[int, int, int, int]],
) -> None:
    known = _Clusters(3, 4, 5)
    for inputs, outputs, m, verdict in seen:
        known.take(Lesson(sized(inputs, outputs), m, verdict))
    assert len(known.means) <= 4
    assert sum(map(sum, known.tried)) == len(seen)
    assert sum(map(sum, known.won)) == sum(verdict for *_, verdict in seen)
    places = [place_of(sized(a, b)) for a, b, _, _ in seen]
    for mean in known.means:
        for axis in (0, 1):
            values = [place[axis] for place in places]
            assert min(values) <= mean[axis] <= max(values)


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_market_it_finds_what_a_score_per_intent_cannot_tell(kind: str) -> None:
    """Long prompts are hard, and only the dear model masters them."""
    dear, low = model("0.02", quality={CHAT: 0.95}), model("0.01", quality={CHAT: 0.6})
    asked = (("short", -3.0, 200), ("long", 1.2, 40_000))
    groups = {
        name: group(120, intents={CHAT: demand() | {
            "difficulty": {"mean": mean, "sigma": 0}, "input_tokens": {"median": size},
        }})
        for name, mean, size in asked
    }  # fmt: skip
    chosen = {"kind": kind, "alpha": 0.8, "explore": 0.05}
    calls = ran(scenario({"dear": dear, "low": low}, groups, tasks=3000, router=chosen)).calls.tail(
        1500
    )
    dear_of = {name: calls.filter(group=name)["model"] == "dear" for name in ("short", "long")}
    shares = {name: chosen.sum() / len(chosen) for name, chosen in dear_of.items()}
    assert shares["short"] < 0.15
    assert shares["long"] > 0.85


def test_places_are_log_sizes_in_thousandths() -> None:
    assert place_of(sized(0, 1)) == (0, 693)
