"""Which of several points is best, and how surely: pair by pair over the seeds they share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.experiment.best import best_of, values_by_point
from sim.experiment.jobs import Row
from sim.experiment.measures import Direction, Numbers

VALUES = st.floats(-1e6, 1e6)


def test_the_gap_to_the_next_is_paired_and_so_narrower_than_either_interval():
    noise = [0.0, 10.0, -7.0, 4.0]
    values = {
        0: {rep: 100 + luck for rep, luck in enumerate(noise)},
        1: {rep: 98 + luck for rep, luck in enumerate(noise)},
        2: {rep: 140 + luck for rep, luck in enumerate(noise)},
    }
    best = best_of(values, Direction.LOWER)
    assert best is not None
    assert (best.point, best.next) == (1, 0)
    assert best.gap is not None
    assert best.gap.mean == pytest.approx(2)
    assert best.gap.half_width == pytest.approx(0)
    assert best.sure


def test_of_one_replication_nothing_is_sure():
    best = best_of({0: {0: 1.0}, 1: {0: 2.0}}, Direction.HIGHER)
    assert best is not None
    assert (best.point, best.sure) == (1, False)


def test_nothing_is_best_without_values_or_without_a_direction():
    assert best_of({}, Direction.LOWER) is None
    assert best_of({0: {}}, Direction.LOWER) is None
    assert best_of({0: {0: 1.0}}, Direction.NEUTRAL) is None


def test_points_without_a_common_replication_have_no_gap():
    best = best_of({0: {0: 1.0}, 1: {1: 2.0}}, Direction.LOWER)
    assert best is not None
    assert best.gap is None


@given(st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=6))
def test_the_best_is_never_behind_the_next(values: list[tuple[float, float]]):
    by_point = {point: dict(enumerate(pair)) for point, pair in enumerate(values)}
    up, down = best_of(by_point, Direction.HIGHER), best_of(by_point, Direction.LOWER)
    assert up is not None
    assert down is not None
    assert up.gap is not None
    assert down.gap is not None
    assert up.gap.mean <= 1e-6
    assert down.gap.mean >= -1e-6


def test_failed_runs_have_no_values():
    def row(point: int, rep: int, numbers: Numbers) -> Row:
        return Row(point, rep, rep, {}, numbers, "stable", True, None, None, 0.0)

    rows = [row(0, 0, {"success_rate": 0.5}), row(0, 1, {"success_rate": None}), row(1, 0, {})]
    assert values_by_point(rows, "success_rate") == {0: {0: 0.5}}
