"""Units: every rounding goes the way its name says, and money stays whole."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import units

AMOUNTS = st.integers(0, 2**47)
RATES = st.integers(0, 10_000)


@given(st.integers(0, 10**13))
def test_dollars_are_micros_exactly(micros: int) -> None:
    assert units.micros_from_usd_exact(units.usd_from_micros(micros)) == micros
    assert units.usd_from_micros(micros) == Decimal(micros).scaleb(-6)


@pytest.mark.parametrize("usd", ["0.0000001", "1.0000005", "-0.0000009"])
def test_dollars_finer_than_a_micro_are_refused(usd: str) -> None:
    with pytest.raises(ValueError, match="finer than one micro"):
        units.micros_from_usd_exact(Decimal(usd))


def test_a_dollar_is_a_million_micros() -> None:
    assert units.micros_from_usd_exact(Decimal("1.25")) == 1_250_000


@given(st.integers(-(10**30), 10**30))
def test_micros_ceil_is_the_least_whole_amount_not_below(micro_tokens: int) -> None:
    exact = Decimal(micro_tokens).scaleb(-6)
    assert units.micros_ceil(micro_tokens) == exact.to_integral_value(ROUND_CEILING)


@pytest.mark.parametrize(("micro_tokens", "micros"), [(0, 0), (1, 1), (10**6, 1), (10**6 + 1, 2)])
def test_micros_ceil_at_its_edges(micro_tokens: int, micros: int) -> None:
    assert units.micros_ceil(micro_tokens) == micros


@given(AMOUNTS, RATES)
def test_a_share_is_rounded_down_alike_alone_and_in_arrays(micros: int, bps: int) -> None:
    exact = (Decimal(micros) * bps).scaleb(-4).to_integral_value(ROUND_FLOOR)
    assert units.share_floor(micros, bps) == exact
    assert units.shares_floor(np.array([micros]), bps).tolist() == [exact]


@given(st.integers(0, 10**12), st.integers(1, 10**6))
def test_a_ratio_is_rounded_to_the_nearest_and_half_up(amount: int, count: int) -> None:
    found = units.ratio_nearest(amount, count)
    assert found is not None
    assert Fraction(-1, 2) < found - Fraction(amount, count) <= Fraction(1, 2)


def test_there_is_no_ratio_to_nothing() -> None:
    assert units.ratio_nearest(5, 0) is None
    assert [units.ratio_nearest(amount, 2) for amount in (1, 3, 5)] == [1, 2, 3]


@given(st.integers(0, 10**24), st.integers(0, 10**10))
def test_wei_are_micros_rounded_up(wei: int, micros_per_eth: int) -> None:
    exact = Fraction(wei * micros_per_eth, 10**18)
    found = units.micros_ceil_from_wei([(wei, micros_per_eth / 10**6)])
    assert 0 <= found - exact < 1


def test_a_finney_at_3000_dollars_is_three() -> None:
    assert units.micros_ceil_from_wei([(10**15, 3000.0)]) == 3_000_000
    assert units.micros_ceil_from_wei([(1, 3000.0), (1, 2500.0)]) == 1


@pytest.mark.parametrize(
    ("found", "us"),
    [
        (units.us_from_seconds_nearest(1.0000015), 1_000_002),
        (units.us_from_seconds_nearest(0.0000004), 0),
        (units.us_from_ms_nearest(1.5), 1_500),
        (units.us_from_ms_nearest(0.0006), 1),
        (units.us_from_hours_nearest(0.5), 1_800_000_000),
        (units.US_PER_DAY, 86_400_000_000),
        (units.US_PER_MINUTE, 60_000_000),
    ],
)
def test_times_are_rounded_to_the_nearest_microsecond(found: int, us: int) -> None:
    assert found == us


@pytest.mark.parametrize(("share", "ppm"), [(0, 0), (1, 10**6), (0.0000016, 2), (0.7, 700_000)])
def test_shares_are_rounded_to_the_nearest_ppm(share: float, ppm: int) -> None:
    assert units.ppm_nearest(share) == ppm
