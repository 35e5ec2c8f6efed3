"""The figures of replay, worked out by hand."""

import math

import numpy as np
import pytest

from sim.chance import stream
from sim.replay import measures as m
from sim.replay.measures import Bootstrap


def test_a_curve_is_straight_where_need_is_equal() -> None:
    weak, strong = np.array([0.0, 1, 0, 0]), np.array([1.0, 1, 1, 0])
    assert m.curve(np.array([5, 5, 1, 1]), weak, strong) == [(0, 0.25), (0.5, 0.5), (1, 0.75)]
    assert m.curve(np.array([7, 7, 7, 7]), weak, strong) == [(0, 0.25), (1, 0.75)]
    assert m.curve(np.array([1, 2, 3, 4]), weak, strong)[1] == (0.25, 0.25)


def test_cpt_is_the_first_share_that_is_enough() -> None:
    points = [(0.0, 0.0), (0.2, 0.6), (0.4, 0.2), (1.0, 1.0)]
    assert m.cpt(points, 0.3) == pytest.approx(0.1)
    assert m.cpt(points, 0.8) == pytest.approx(0.4 + 0.6 * 0.75)
    assert m.cpt(points, 1.1) is None
    assert m.cpt(points, -0.1) == 0.0


def test_aiq_is_the_mean_height_of_the_hull() -> None:
    assert m.mean_quality([(1, 0.2), (3, 0.6)], 1, 3) == pytest.approx(0.4)
    assert m.mean_quality([(1, 0.2), (3, 0.6)], 1, 5) == pytest.approx((2 * 0.4 + 2 * 0.6) / 4)
    assert m.aiq([(2, 0.5)], 1, 3) == pytest.approx((0.375 + 0.5) / 2)
    assert m.aiq([(2, 0.5), (2.5, 0.4)], 1, 3) == m.aiq([(2, 0.5)], 1, 3)
    assert m.mean_quality([(2, 0.5)], 2, 2) == 0.5


@pytest.mark.parametrize(
    ("success", "dollars", "score"),
    [(0.764, 0.18, 0.7527), (0.7396, 10.02, 0.6432), (0.4704, 0.27, 0.4807)],
)
def test_the_arena_score_is_the_published_one(success: float, dollars: float, score: float) -> None:
    assert m.arena_score(success, dollars / 1000) == pytest.approx(score, abs=5e-4)


def test_the_arena_score_keeps_to_its_range() -> None:
    assert m.arena_score(0.5, 0.0) == m.arena_score(0.5, 4.4e-6) == pytest.approx(0.55 / 1.05)
    assert m.arena_score(0.5, 0.2) == m.arena_score(0.5, 9.0) == 0.0
    assert m.arena_score(0.0, 1.0) == 0.0


def test_the_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    for tasks in (400, 20_000):
        values = (stream(1, "coins", tasks).random(tasks) < 0.3).astype(float)
        low, high = Bootstrap(tasks, 7).mean(values) or (0.0, 0.0)
        wanted = 2 * 1.96 * math.sqrt(0.21 / tasks)
        assert high - low == pytest.approx(wanted, rel=0.12)
        assert low < 0.3 < high
