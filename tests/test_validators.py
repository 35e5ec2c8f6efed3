"""Validators: the stake-weighted median of what they observe, and the score that comes of it."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sim.chance import stream
from sim.units import PPM
from sim.validators import VALIDATORS, Mean, Median, Yuma, verdict_ppm, weighted_medians
from tests.scenarios_for_tests import lively, ran

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


def agreed(rule: Median | Mean | Yuma, values: list[int], stakes: list[int]) -> int:
    return int(rule.agreed(np.array([values]), np.array(stakes)).item())


@pytest.mark.parametrize("kind", VALIDATORS)
@given(judged=JUDGED, shift=st.integers(-PPM, PPM))
def test_every_rule_moves_with_its_observations(
    kind: str, judged: tuple[list[int], list[int]], shift: int
) -> None:
    """So the error can be agreed on before the truth is known."""
    (values, stakes), rule = judged, VALIDATORS[kind]()
    moved = agreed(rule, [value + shift for value in values], stakes)
    assert abs(moved - shift - agreed(rule, values, stakes)) <= 1  # halves are rounded to even


@pytest.mark.parametrize("kind", VALIDATORS)
@given(judged=JUDGED)
def test_every_rule_agrees_on_something_between_the_least_and_the_most(
    kind: str, judged: tuple[list[int], list[int]]
) -> None:
    values, stakes = judged
    assert min(values) <= agreed(VALIDATORS[kind](), values, stakes) <= max(values)


@pytest.mark.parametrize("kind", VALIDATORS)
@given(judged=JUDGED, swap=st.randoms(use_true_random=False))
def test_no_rule_looks_at_the_order_of_validators(
    kind: str, judged: tuple[list[int], list[int]], swap: Random
) -> None:
    pairs = list(zip(*judged, strict=True))
    swap.shuffle(pairs)
    values, stakes = (list(each) for each in zip(*pairs, strict=True))
    assert agreed(VALIDATORS[kind](), values, stakes) == agreed(VALIDATORS[kind](), *judged)


@given(JUDGED)
def test_the_mean_is_by_stake(judged: tuple[list[int], list[int]]) -> None:
    values, stakes = judged
    exact = sum(v * s for v, s in zip(values, stakes, strict=True)) / sum(stakes)
    assert abs(agreed(Mean(), values, stakes) - exact) <= 0.5 + 1e-6


@pytest.mark.parametrize(
    ("values", "stakes", "kappa", "wanted"),
    [
        ([6, 6, 9], [1, 1, 1], 0.5, 6),  # praise by a third is cut
        ([0, 6, 6], [1, 1, 1], 0.5, 4),  # blame by a third counts
        ([0, 10], [1, 1], 0.5, 5),  # half of the stake is enough for 10
        ([0, 10], [3, 2], 0.5, 0),
        ([2, 4, 8], [1, 1, 2], 0.75, 4),  # cut at 4, the most that 3/4 reach: (2 + 4 + 2 x 4) / 4
        ([2, 4, 8], [1, 1, 2], 0.2, 6),  # nothing is cut: (2 + 4 + 2 x 8) / 4 = 5.5
    ],
)
def test_yuma_cuts_at_what_kappa_of_the_stake_supports(
    values: list[int], stakes: list[int], kappa: float, wanted: int
) -> None:
    assert agreed(Yuma(kappa=kappa), values, stakes) == wanted


@given(JUDGED, st.integers(0, 10 * PPM))
def test_praise_by_less_than_kappa_of_the_stake_is_worth_no_more_than_consensus(
    judged: tuple[list[int], list[int]], praise: int
) -> None:
    values, stakes = judged
    flattery = [*values, max(values) + praise]
    found = agreed(Yuma(), flattery, [*stakes, max(1, sum(stakes) - 1)])
    if sum(stakes) > 1:
        assert found <= max(values)


@given(JUDGED)
def test_yuma_never_says_more_than_the_mean_or_the_upper_median(
    judged: tuple[list[int], list[int]],
) -> None:
    values, stakes = judged
    upper = -median([-value for value in values], stakes)
    found = agreed(Yuma(), values, stakes)
    assert found <= upper
    assert found <= agreed(Mean(), values, stakes)


def test_the_mean_of_seven_errs_by_a_seventh_of_the_variance() -> None:
    seven = Mean(count=7, noise=0.05).errors_ppm(stream(1, "seven"), 40_000)
    assert seven.var() == pytest.approx(50_000**2 / 7, rel=0.04)


def test_great_stakes_do_not_overflow() -> None:
    stakes = [10**12 - 1] * 1000
    for rule in (Median(), Mean(), Yuma(kappa=0.999)):
        assert agreed(rule, [3] * 1000, stakes) == 3


@pytest.mark.parametrize("kind", VALIDATORS)
def test_every_kind_judges_a_run(kind: str) -> None:
    judged = {"kind": kind, "noise": 0.2, "count": 3, "stakes": [1, 2, 2]}
    one, two = (ran(lively(100, validators=judged)) for _ in range(2))
    assert one.digest == two.digest
    graded = one.calls.filter(reason="none")["score_ppm"].to_numpy()
    assert 0 < graded.min() <= graded.max() <= PPM
    assert VALIDATORS[kind](**judged).kind == kind
