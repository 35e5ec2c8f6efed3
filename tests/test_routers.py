"""Routers: what every one of them keeps to, and what each one is for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sim.chance import mix
from sim.facts import Task
from sim.models import Pool as RealPool
from sim.routers import ROUTERS, Lesson, Router
from tests.scenarios_for_tests import CHAT, lively, model, ran, scenario, task, token_model

MINE = Path(__file__).with_name("test_router_custom.py")
REQUIRED: dict[str, dict[str, object]] = {
    "quality-floor": {"floor": 0.6},
    "single": {"model": "small"},
    "weighted": {"weights": {"small": 2, "mid": 1}},
    "python": {"file": str(MINE)},
}
N = 20_000


@dataclass
class Pool:
    """Scores by model for intent 0, what each model costs, and what else a market may tell."""

    chat: list[int]
    costs: list[int]
    times: list[int] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    spent: list[int] = field(default_factory=list)
    taught: list[tuple[Task, int, int]] = field(default_factory=list)
    notes: dict[int, object] = field(default_factory=dict)
    online: bool = True

    def __post_init__(self) -> None:
        n = len(self.chat)
        names = ["small", "mid", "big", *(f"m{number}" for number in range(n))]
        self.scores = [self.chat]
        self.newcomers: dict[int, frozenset[int]] = {}
        self.ids: Sequence[str] = names[:n]
        self.list_prices: Sequence[int] = self.costs
        self.times = self.times or [1] * n
        self.first_token_us: Sequence[int] = self.times
        self.millitokens_per_s: Sequence[int] = [10**9 // each for each in self.times]
        self.busy, self.spent = self.busy or [0] * n, self.spent or [0] * n
        self.right = self.right or [False] * n
        self.tried, self.won = [[0] * n], [[0] * n]

    def expected_costs(self, _: Task, models: Sequence[int]) -> list[int]:
        return [self.costs[model] for model in models]

    def latencies(self, _: Task, models: Sequence[int]) -> list[int]:
        return [self.times[model] for model in models]

    def loads(self, models: Sequence[int]) -> list[int]:
        return [self.busy[model] for model in models]

    def rights(self, _: Task, attempt: int, models: Sequence[int]) -> list[bool]:
        return [self.right[model] ^ bool(attempt) for model in models]

    def spend(self, intent: int, models: Sequence[int], since_us: int) -> list[int]:
        del intent, since_us
        return [self.spent[model] for model in models]

    def lessons(self, _: int) -> list[Lesson]:
        taught, self.taught = self.taught, []
        return [Lesson(*each) for each in taught]


def router(kind: str, **parameters: object) -> Router:
    made: Router = TypeAdapter(Router).validate_python(
        {"kind": kind, **REQUIRED.get(kind, {}), **parameters}
    )
    return made


def tasks(count: int, start: int = 0) -> list[Task]:
    return [task(intent=0, draw=mix(start + number, 77, 0)) for number in range(count)]


def picks(chosen: Router, pool: Pool, models: Sequence[int], count: int = N) -> Counter[int]:
    """How many of ``count`` tasks each model gets."""
    return Counter(chosen.pick(each, 0, models, pool) for each in tasks(count))


def fair(found: Counter[int], percent: dict[int, float]) -> bool:
    """Whether counts are as expected: chi-square below its 99.9 % quantile, at most 5 cells."""
    total = sum(found.values())
    assert set(found) <= {model for model, share in percent.items() if share}
    cells = [(found[model], total * share / 100) for model, share in percent.items() if share]
    limit = {1: 1e-9, 2: 10.83, 3: 13.82, 4: 16.27, 5: 18.47}[len(cells)]
    return sum((seen - wanted) ** 2 / wanted for seen, wanted in cells) < limit


POOLS = st.integers(1, 8).flatmap(
    lambda n: st.builds(
        Pool,
        st.lists(st.sampled_from([0, 500_000, 700_000, 10**6]), min_size=n, max_size=n),
        st.lists(st.sampled_from([0, 10, 10**9, 10**14]), min_size=n, max_size=n),
    )
)


@pytest.mark.parametrize("kind", ROUTERS)
@given(data=st.data())
def test_every_router_picks_from_the_offered_and_does_so_again(
    kind: str, data: st.DataObject
) -> None:
    pool = data.draw(POOLS)
    everyone = st.sampled_from(range(len(pool.chat)))
    offered = sorted(data.draw(st.sets(everyone, min_size=1)))
    attempt = data.draw(st.integers(0, 5))
    before = (list(offered), list(pool.chat), list(pool.costs))
    for each in tasks(5, data.draw(st.integers(0, 10**6))):
        found = router(kind).pick(each, attempt, tuple(offered), pool)
        assert found in offered
        assert router(kind).pick(each, attempt, offered, pool) == found
    assert (offered, pool.chat, pool.costs) == before


@pytest.mark.parametrize("kind", ROUTERS)
def test_every_router_takes_the_only_model_there_is(kind: str) -> None:
    assert picks(router(kind), Pool([5, 5, 5], [1, 1, 1]), [2], 50) == {2: 50}


@pytest.mark.parametrize("kind", ROUTERS)
def test_every_router_is_tagged_by_its_kind(kind: str) -> None:
    assert router(kind).kind == kind
    assert type(router(kind)) is ROUTERS[kind]


@pytest.mark.parametrize("kind", ROUTERS)
def test_every_router_gives_the_same_record_for_the_same_seed(kind: str) -> None:
    chosen = {"kind": kind, **REQUIRED.get(kind, {})}
    assert ran(lively(60, router=chosen)).digest == ran(lively(60, router=chosen)).digest


@pytest.mark.parametrize("kind", ["leaderboard", "random"])
def test_chance_that_decides_is_new_for_every_attempt(kind: str) -> None:
    pool, chosen = Pool([3, 2, 1], [1, 1, 1]), router(kind)
    both = Counter(
        (chosen.pick(each, 0, range(3), pool), chosen.pick(each, 1, range(3), pool))
        for each in tasks(N)
    )
    first = Counter(chosen.pick(each, 0, range(3), pool) for each in tasks(N))
    for one in range(3):
        for other in range(3):
            alone = first[one] * first[other] / N
            assert abs(both[one, other] - alone) < 5 * alone**0.5


@pytest.mark.parametrize(
    ("scores", "percent"),
    [
        ([30, 10, 20], {0: 70, 2: 20, 1: 10}),
        ([1, 4, 3, 2, 0], {1: 70, 2: 20, 3: 10}),
        ([5, 9], {1: 100 * 7 / 9, 0: 100 * 2 / 9}),
        ([9, 9, 5], {0: 45, 1: 45, 2: 10}),
        ([9, 5, 5], {0: 70, 1: 15, 2: 15}),
        ([9, 9, 9], {0: 100 / 3, 1: 100 / 3, 2: 100 / 3}),
        ([9, 5, 5, 5], {0: 70, 1: 10, 2: 10, 3: 10}),
        ([9, 7, 5, 5], {0: 70, 1: 20, 2: 5, 3: 5}),
        ([9, 9, 9, 9, 5], {0: 25, 1: 25, 2: 25, 3: 25}),
        ([9, 9], {0: 50, 1: 50}),
    ],
)
def test_the_leaderboard_shares_its_places_and_ties_share_theirs(
    scores: list[int], percent: dict[int, float]
) -> None:
    chosen = router("leaderboard")
    found = picks(chosen, Pool(scores, [1] * len(scores)), range(len(scores)))
    assert fair(found, percent), found


def test_the_leaderboard_ranks_only_those_on_offer() -> None:
    found = picks(router("leaderboard"), Pool([9, 8, 7, 6], [1] * 4), [1, 3])
    assert fair(found, {1: 100 * 7 / 9, 3: 100 * 2 / 9}), found


def test_the_leaderboards_shares_are_its_parameters() -> None:
    pool = Pool([3, 2, 1], [1] * 3)
    assert picks(router("leaderboard", shares_percent=[100]), pool, range(3)) == {0: N}
    even = picks(router("leaderboard", shares_percent=[50, 30]), pool, range(3))
    assert fair(even, {0: 62.5, 1: 37.5}), even


def test_random_is_uniform() -> None:
    found = picks(router("random"), Pool([9, 5, 1, 0], [1, 2, 3, 4]), [0, 1, 3])
    assert fair(found, dict.fromkeys((0, 1, 3), 100 / 3)), found


@given(pool=POOLS)
def test_cheapest_is_the_first_of_the_least_expected_cost(pool: Pool) -> None:
    models = range(len(pool.costs))
    best = min(models, key=lambda m: (pool.costs[m], m))
    assert router("cheapest").pick(tasks(1)[0], 0, models, pool) == best


@given(pool=POOLS)
def test_quality_floor_is_the_cheapest_above_it_else_the_best(pool: Pool) -> None:
    models = range(len(pool.costs))
    good = [m for m in models if pool.chat[m] >= 700_000]
    best = min(models, key=lambda m: (-pool.chat[m], m))
    wanted = min(good, key=lambda m: (pool.costs[m], m)) if good else best
    chosen = router("quality-floor", floor=0.7)
    assert chosen.pick(tasks(1)[0], 0, models, pool) == wanted


@given(pool=POOLS, value=st.sampled_from([0, 1, 10**6, 10**9]))
def test_willingness_to_pay_is_the_most_value_times_quality_less_cost(
    pool: Pool, value: int
) -> None:
    models = range(len(pool.costs))
    best = max(models, key=lambda m: (value * pool.chat[m] - pool.costs[m], -m))
    worth = tasks(1)[0]._replace(value_micros=value)
    assert router("willingness-to-pay").pick(worth, 0, models, pool) == best
    if value:
        own = router("willingness-to-pay", value_usd=value / 10**6)
        assert own.pick(worth._replace(value_micros=7), 0, models, pool) == best


def test_expected_costs_are_of_a_right_answer() -> None:
    models = {
        "a": model("0.02"),
        "b": token_model(cache_hit_share=0.5, verbosity=1.5, reasoning_share=0.4),
    }
    pool = RealPool(scenario(models))
    per_token = 1000 * 550_000 + 100 * round(1.5 / 0.6 * 2_000_000)
    assert pool.expected_costs(task(), [1, 0]) == [per_token, 20_000 * 10**6]


@pytest.mark.parametrize(
    ("chosen", "shares"),
    [
        ({"kind": "cheapest"}, {"dear": 0.0, "fair": 0.0, "poor": 1.0}),
        ({"kind": "quality-floor", "floor": 0.65}, {"dear": 0.0, "fair": 1.0, "poor": 0.0}),
        ({"kind": "willingness-to-pay"}, {"dear": 1.0, "fair": 0.0, "poor": 0.0}),
    ],
)
def test_in_a_market_the_router_decides_who_serves(
    chosen: dict[str, object], shares: dict[str, float]
) -> None:
    prices = {"dear": ("0.05", 0.9), "fair": ("0.02", 0.7), "poor": ("0.01", 0.4)}
    models = {name: model(usd, quality={CHAT: q}) for name, (usd, q) in prices.items()}
    still = {"kind": "median", "noise": 0, "score": {"kind": "window", "verdicts": 100_000}}
    calls = ran(scenario(models, router=chosen, validators=still, tasks=50)).calls
    served = {name: (calls["model"] == name).mean() for name in models}
    assert served == shares
