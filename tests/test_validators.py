"""Validators: the stake-weighted median of what they observe, and the score that comes of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sim.chance import stream
from sim.units import PPM
from sim.validators import VALIDATORS, Median, verdict_ppm, weighted_medians

JUDGED = st.integers(1, 9).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(-2 * PPM, 2 * PPM), min_size=n, max_size=n),
        st.lists(st.integers(1, 50), min_size=n, max_size=n),
    )
)


def median(values: list[int], stakes: list[int]) -> int:
    """The least value such that those at or below it have at least half of the stake."""
    return min(
        value
        for value in values
        if 2 * sum(s for v, s in zip(values, stakes, strict=True) if v <= value) >= sum(stakes)
    )


@given(JUDGED)
def test_the_weighted_median_is_the_least_value_with_half_of_the_stake(
    judged: tuple[list[int], list[int]],
) -> None:
    values, stakes = judged
    found = weighted_medians(np.array([values, values[::-1]]), np.array(stakes))
    assert found.tolist() == [median(values, stakes), median(values[::-1], stakes)]


@pytest.mark.parametrize(
    ("values", "stakes", "wanted"),
    [
        ([5], [1], 5),
        ([3, 1, 2], [1, 1, 1], 2),
        ([4, 1, 3, 2], [1, 1, 1, 1], 2),
        ([0, 10], [1, 2], 10),
        ([0, 10], [1, 1], 0),
        ([0, 9, 10], [1, 1, 3], 10),
        ([0, 9, 10], [1, 2, 3], 9),
    ],
)
def test_medians_by_hand(values: list[int], stakes: list[int], wanted: int) -> None:
    assert weighted_medians(np.array([values]), np.array(stakes)).tolist() == [wanted]


@given(JUDGED, st.integers(-PPM, PPM))
def test_liars_with_less_than_half_of_the_stake_stay_within_what_others_say(
    judged: tuple[list[int], list[int]], lie: int
) -> None:
    values, stakes = judged
    lies = [*values, lie]
    found = weighted_medians(np.array([lies]), np.array([*stakes, max(1, sum(stakes) - 1)])).item()
    if sum(stakes) > 1:
        assert min(values) <= found <= max(values)


@given(JUDGED, st.booleans())
def test_the_median_of_observations_is_the_observation_of_the_median_error(
    judged: tuple[list[int], list[int]], right: bool
) -> None:
    errors, stakes = judged
    observed = [min(PPM, max(0, PPM * right + error)) for error in errors]
    assert verdict_ppm(right, median(errors, stakes)) == median(observed, stakes)


@pytest.mark.parametrize(
    ("right", "error", "score"),
    [
        (True, 0, PPM),
        (True, 1, PPM),
        (True, -1, PPM - 1),
        (True, -3 * PPM, 0),
        (False, 0, 0),
        (False, -1, 0),
        (False, 70_000, 70_000),
        (False, 3 * PPM, PPM),
    ],
)
def test_a_verdict_is_the_truth_plus_the_error_within_bounds(
    right: bool, error: int, score: int
) -> None:
    assert verdict_ppm(right, error) == score


def test_errors_are_normal_with_the_noise_of_each_validator() -> None:
    one = Median(count=1, noise=0.05).errors_ppm(stream(1, "one"), 40_000)
    assert one.std() == pytest.approx(50_000, rel=0.02)
    assert abs(one.mean()) < 4 * 50_000 / 200


def test_more_validators_err_less() -> None:
    """The variance of the median of seven standard normals is .2104 (Teichroew 1956)."""
    seven = Median(count=7, noise=0.05).errors_ppm(stream(1, "seven"), 40_000)
    assert seven.var() == pytest.approx(0.2104 * 50_000**2, rel=0.04)


def test_a_stake_above_half_decides_alone() -> None:
    heavy = Median(count=3, noise=0.1, stakes=(1, 3, 1)).errors_ppm(stream(1, "x"), 50)
    alone = np.rint(stream(1, "x").standard_normal((50, 3))[:, 1] * 100_000)
    assert heavy.tolist() == alone.tolist()


def test_without_noise_there_is_no_error() -> None:
    assert not Median(noise=0).errors_ppm(stream(1, "x"), 9).any()


def test_errors_do_not_depend_on_the_size_of_blocks() -> None:
    judges, in_parts = Median(), stream(1, "x")
    parts = [error for size in (3, 5, 1) for error in judges.errors_ppm(in_parts, size).tolist()]
    assert parts == judges.errors_ppm(stream(1, "x"), 9).tolist()


def test_there_must_be_one_stake_per_validator() -> None:
    with pytest.raises(ValidationError, match="one stake per validator: 3"):
        Median(count=3, stakes=(1, 2))
    with pytest.raises(ValidationError):
        Median(count=2, stakes=(1, 0))


def test_the_median_is_a_kind_of_validators() -> None:
    assert {"median": Median} == VALIDATORS
