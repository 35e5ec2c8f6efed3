"""Intervals, differences, warm-up, trend and selection against figures worked out elsewhere."""

import math

import numpy as np
import pytest
from scipy import stats

from sim.experiment.compare import compared
from sim.experiment.jobs import Row
from sim.experiment.measures import Direction, Numbers, direction, known, measures, quantity
from sim.experiment.selection import select
from sim.experiment.statistics import difference, interval, relative_difference
from sim.experiment.surface import best_guess, vertex
from sim.experiment.warmup import mser5, warm_up_us
from sim.facts import ScenarioError
from sim.metrics.stability import mann_kendall_z, stability
from tests.scenarios_for_tests import group, model, ran, scenario


def test_an_interval_is_the_t_interval_of_the_textbook():
    # Law (2015), example 4.26: ten observations, 90 % interval 1.34 +- .24.
    values = [1.20, 1.50, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.50, 1.09]
    found = interval(values, 0.9)
    assert found.mean == pytest.approx(1.343)
    assert found.half_width == pytest.approx(0.24, abs=0.005)
    low, high = stats.t.interval(0.9, 9, found.mean, stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_one_value_has_a_mean_and_no_interval():
    assert interval([3.0]).half_width is None


def test_equal_values_have_an_interval_of_no_width_and_equal_pairs_no_difference():
    assert interval([0.1] * 7).half_width == 0
    base = [0.1, 0.7, 0.3]
    assert (difference(base, base).mean, difference(base, base).half_width) == (0, 0)
    relative = relative_difference(base, base)
    assert relative
    assert (relative.mean, relative.half_width) == (0, 0)


def test_pairs_that_share_their_noise_have_a_narrow_difference():
    noise = np.random.default_rng(1).normal(100, 20, 30)
    found = difference(noise.tolist(), (noise + 1).tolist())
    assert found.mean == pytest.approx(1)
    assert found.half_width == pytest.approx(0, abs=1e-9)


def test_a_relative_difference_covers_the_true_one_about_as_often_as_it_says():
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        base = random.normal(10, 2, 20)
        other = 1.031 * base + random.normal(0, 0.5, 20)
        found = relative_difference(base.tolist(), other.tolist())
        assert found
        assert found.half_width is not None
        covered += abs(found.mean - 0.031) <= found.half_width
    assert 0.92 <= covered / 400 <= 0.98


def test_there_is_no_relative_difference_from_zero():
    assert relative_difference([0, 0], [1, 2]) is None


def test_mser5_cuts_a_transient_and_nothing_else():
    random = np.random.default_rng(3)
    noise = random.normal(0, 1, 2000)
    transient = 30 * np.exp(-np.arange(2000) / 60)
    cut = mser5(noise + transient)
    assert cut is not None
    assert 100 <= cut <= 400
    still = mser5(noise)
    assert still is not None
    assert still <= 200


def test_mser5_is_the_least_of_its_statistic():
    series = np.random.default_rng(4).normal(0, 1, 203) + 9 * np.exp(-np.arange(203) / 9)
    means = series[:200].reshape(40, 5).mean(axis=1)
    by_hand = [np.var(means[d:]) / (40 - d) for d in range(21)]
    assert mser5(series) == 5 * int(np.argmin(by_hand))


def test_mser5_says_when_a_series_is_too_short_to_tell():
    assert mser5(np.linspace(1, 0, 100)) is None
    assert mser5([1.0, 2.0]) is None


def test_a_slow_start_is_found_in_a_record():
    # All hundred agents of a queue that starts empty: latency climbs, then stays.
    busy = scenario({"m": model(capacity={"slots": 1, "queue": 50}, latency={
        "first_token_ms": 100, "tokens_per_s": 1e9, "sigma": 0})},
        {"a": group(40_000, deadline_s=1000)}, tasks=3000)  # fmt: skip
    found = warm_up_us(ran(busy))
    assert found is not None
    assert found > 0


def test_mann_kendall_matches_kendalls_tau():
    series = np.random.default_rng(6).normal(0, 1, 15) + np.arange(15) * 0.1
    tau = stats.kendalltau(np.arange(15), series).statistic
    score = tau * 15 * 14 / 2
    by_hand = (score - math.copysign(1, score)) / math.sqrt(15 * 14 * 35 / 18)
    assert mann_kendall_z(series) == pytest.approx(by_hand)
    assert mann_kendall_z(np.ones(15)) == 0


@pytest.mark.parametrize(
    ("per_hour", "queue", "deadline_s", "verdict"),
    [
        (1800, 10**6, 1e6, "stable"),
        (5400, 10**6, 1e6, "backlogged"),
        (5400, 5, 1e6, "overloaded"),
        (5400, 10**6, 20, "overloaded"),
    ],
)
def test_the_verdict_on_one_server_of_one_second(per_hour, queue, deadline_s, verdict):
    what = scenario(
        {"m": model(capacity={"slots": 1, "queue": queue})},
        {"a": group(per_hour, deadline_s=deadline_s)},
        tasks=2000,
    )
    found = stability(ran(what))
    assert found.verdict == verdict
    if verdict == "backlogged":  # of 1.5 calls a second one is served
        assert found.growth_share == pytest.approx(1 / 3, abs=0.05)


def test_an_empty_run_is_stable():
    assert stability(ran(scenario(horizon_h=1e-6))).verdict == "stable"


def test_selection_finds_the_best_of_twenty_and_wastes_little_on_the_worst():
    random = np.random.default_rng(9)
    means = [*np.linspace(0, 4, 19), 5.0]
    common: dict[int, float] = {}

    def observe(alive, rep):
        common.setdefault(rep, random.normal(0, 3))
        return [means[design] + common[rep] + random.normal(0, 1) for design in alive]

    found = select(20, 1.0, observe)
    assert found.best == 19
    assert found.order[0] == 19
    assert sorted(found.order) == list(range(20))
    assert found.reps[0] == 10
    assert max(found.reps) > 10


def test_selection_keeps_its_promise():
    # Slippage: the best is just one indifference zone ahead of nine equal others.
    random = np.random.default_rng(2)
    right = sum(
        select(10, 1.0, lambda alive, _: [
            float(random.normal(1.0 if design == 3 else 0.0, 2)) for design in alive
        ]).best == 3
        for _ in range(40)
    )  # fmt: skip
    assert right >= 36


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ((1, 1.0), "designs"),
        ((2, 0.0), "--indifference"),
        ((2, 1.0, 1), "--reps"),
        ((2, 1.0, 5, 1.0), "--confidence"),
    ],
)
def test_a_selection_that_makes_no_sense_is_refused(arguments, path):
    designs, zone, *rest = arguments
    with pytest.raises(ScenarioError) as refused:
        select(designs, zone, lambda alive, _: [0.0] * len(alive), *rest)
    assert refused.value.faults[0].path == path


def _row(point: int, rep: int, value: float, error: str | None = None) -> Row:
    numbers: Numbers = (
        {} if error else {"success_rate": value, "spend_micros": value, "tasks.failed": 0}
    )
    return Row(point, rep, rep, {}, numbers, "stable", True, error, "", 0.0)


def test_the_words_of_a_comparison_know_which_way_is_better():
    rows = [_row(0, rep, 1.0 + rep % 2) for rep in range(10)]
    rows += [_row(1, rep, 1.1 * (1.0 + rep % 2)) for rep in range(10)]
    rows += [_row(2, rep, 0.9 * (1.0 + rep % 2)) for rep in range(10)]
    found = compared(["a", "b", "c"], rows).differences
    assert found["b"]["success_rate"].words.startswith("b beats a by 10 % +- ")
    assert found["c"]["success_rate"].winner == "a"
    assert found["c"]["success_rate"].words.startswith("a beats c by 10 % +- ")
    assert found["b"]["spend_micros"].winner is None
    assert found["b"]["spend_micros"].words.startswith("b is higher than a by 10 % +- ")
    assert found["b"]["tasks.failed"].words == "a and b are equal"


def test_a_difference_within_the_noise_names_no_winner():
    rows = [_row(point, rep, 1 + (point + rep) % 2) for point in (0, 1) for rep in range(5)]
    found = compared(["a", "b"], rows).differences["b"]["success_rate"]
    assert found.winner is None
    assert found.words.startswith("no difference shown between a and b: ")


def test_only_pairs_that_both_ran_are_compared():
    rows = [_row(0, 0, 1), _row(0, 1, 2), _row(0, 2, 9), _row(1, 0, 2), _row(1, 1, 3)]
    found = compared(["a", "b"], [*rows, _row(1, 2, 0, "died")]).differences["b"]["success_rate"]
    assert (found.difference.mean, found.difference.reps) == (1, 2)


def test_every_metric_of_a_summary_has_a_name_and_directions_name_metrics():
    what = scenario({"a": model(), "b.1": model()})
    found = measures(what)
    assert {"success_rate", "models.b.1.profit_micros", "latency_us.p95"} <= set(found)
    assert not {"seed", "digest", "scenario", "rail.kind"} & set(found)
    assert found["latency_us.p95"].unit == "us"
    assert found["tasks.posted"].whole
    assert not found["success_rate"].whole
    assert direction("cost_per_success_micros") is Direction.LOWER
    assert direction("models.b.1.revenue_micros") is Direction.HIGHER
    assert direction("spend_micros") is Direction.NEUTRAL


def test_an_unknown_metric_is_refused_with_the_nearest():
    with pytest.raises(ScenarioError) as refused:
        known("sucess_rate", scenario(), "--minimise")
    assert refused.value.faults[0].hint == "did you mean success_rate?"
    assert refused.value.faults[0].path == "--minimise"


@pytest.mark.parametrize(
    ("metric", "text", "value"),
    [
        ("latency_us.p95", "8s", 8e6),
        ("latency_us.p95", "250 ms", 250_000),
        ("latency_us.p95", "8000000", 8e6),
        ("success_rate", "90%", 0.9),
        ("success_rate", ".9", 0.9),
        ("cost_per_success_micros", "0.02usd", 20_000),
        ("tasks.failed", "1e3", 1000),
    ],
)
def test_a_limit_may_be_in_a_unit_that_people_use(metric, text, value):
    assert quantity(text, measures(scenario())[metric], "--slo") == pytest.approx(value)


@pytest.mark.parametrize(
    ("metric", "text"),
    [("latency_us.p95", "8 apples"), ("tasks.failed", "3s"), ("success_rate", "")],
)
def test_a_limit_in_another_unit_is_refused(metric, text):
    with pytest.raises(ScenarioError, match="a number in"):
        quantity(text, measures(scenario())[metric], "--slo")


def test_a_quadratics_vertex_is_found_through_noise():
    random = np.random.default_rng(7)
    points = random.uniform(0.2, 0.5, (40, 2))
    values = (points[:, 0] - 0.33) ** 2 + 2 * (points[:, 1] - 0.4) ** 2 + 1
    found = vertex(points.tolist(), (values + random.normal(0, 1e-4, 40)).tolist())
    assert found == pytest.approx([0.33, 0.4], abs=0.005)
    assert vertex(points.tolist(), (-values).tolist()) is None
    assert vertex(points[:6].tolist(), values[:6].tolist()) is None


def test_the_best_guess_stays_near_the_best_point():
    line = [[x / 100] for x in range(40, 60)]
    falling = [-point[0] + 0.3 * point[0] ** 2 for point in line]
    assert best_guess(line, falling, 0.1)[0] == pytest.approx(0.59 + 0.15)
    assert best_guess([[0.5], [0.9]], [1.0, 2.0], 0.1) == [0.5]
