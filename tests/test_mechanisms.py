"""Mechanisms: what a price in a scenario means for the charge of an answer."""

from decimal import ROUND_CEILING, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sim.mechanisms import MECHANISMS, Posted, Price, Tariff

USD = st.decimals(0, 1000, places=6)
TOKENS = st.integers(0, 10**9)


def tariff(**price: object) -> Tariff:
    made: Price = TypeAdapter(Price).validate_python(price)
    return Tariff(made)


def per_token(given_usd: object, cached_usd: object, made_usd: object) -> Tariff:
    return tariff(
        kind="per_token",
        input_usd_per_mtok=given_usd,
        cached_usd_per_mtok=cached_usd,
        output_usd_per_mtok=made_usd,
    )


@given(USD, TOKENS, TOKENS, TOKENS)
def test_a_price_per_call_is_the_same_for_every_answer(
    usd: Decimal, fresh: int, cached: int, output: int
) -> None:
    charge = tariff(kind="per_call", usd_per_call=usd).charge_ceil(fresh, cached, output)
    assert charge == usd * 10**6


@given(USD, USD, USD, TOKENS, TOKENS, TOKENS)
def test_a_price_per_token_is_the_sum_rounded_up_once(
    given_usd: Decimal, cached_usd: Decimal, made_usd: Decimal, fresh: int, cached: int, output: int
) -> None:
    exact = given_usd * fresh + cached_usd * cached + made_usd * output
    charge = per_token(given_usd, cached_usd, made_usd).charge_ceil(fresh, cached, output)
    assert charge == exact.to_integral_value(ROUND_CEILING)


def test_three_parts_of_a_micro_are_rounded_up_together() -> None:
    third = per_token("0.000001", "0.000001", "0.000001")
    assert third.charge_ceil(1, 1, 1) == 1
    assert third.charge_ceil(400_000, 300_000, 300_000) == 1
    assert third.charge_ceil(400_000, 300_000, 300_001) == 2
    assert third.charge_ceil(0, 0, 0) == 0


def test_each_kind_of_token_has_its_own_price() -> None:
    price = per_token("1", "0.1", "3")
    million = 10**6
    assert price.charge_ceil(million, 0, 0) == 1_000_000
    assert price.charge_ceil(0, million, 0) == 100_000
    assert price.charge_ceil(0, 0, million) == 3_000_000


def test_cached_tokens_cost_as_fresh_ones_unless_they_have_a_price() -> None:
    assert per_token("2", None, "1").cached == 2_000_000
    assert per_token("2", "0", "1").cached == 0


@pytest.mark.parametrize(
    "price",
    [
        {"kind": "per_call", "usd_per_call": "-0.01"},
        {"kind": "per_call", "usd_per_call": "0.0000001"},
        {"kind": "per_call", "usd_per_call": "10000001"},
        {"kind": "per_call", "usd_per_call": "0.1", "input_usd_per_mtok": "1"},
        {"kind": "per_token", "input_usd_per_mtok": "1"},
        {"kind": "per_word"},
        {"usd_per_call": "0.1"},
    ],
)
def test_a_price_that_cannot_be_is_refused(price: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        tariff(**price)


def test_every_mechanism_is_in_the_table_under_its_kind() -> None:
    assert [rule().kind for rule in MECHANISMS.values()] == list(MECHANISMS)
    assert Posted().kind == "posted"
