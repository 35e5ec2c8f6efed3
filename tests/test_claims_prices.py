"""What the scenarios about prices expect in their first comments, with intervals over seeds."""

from collections.abc import Mapping

import pytest

from tests.claims import Changes, Replications, within

REPS = 6
BASE = "as it is"
Designs = Mapping[str, Replications]


def designs_of(name: str, shared: Changes, others: Mapping[str, Changes]) -> Designs:
    """A shipped scenario and variants of it."""
    base = Replications(name, shared, REPS)
    return {BASE: base, **{label: base.but(changes) for label, changes in others.items()}}


# auction-designs ----------------------------------------------------------------------------------

HOURS = 6
CENT = 10_000
SALES = 120 * HOURS
VARIANTS: Mapping[str, Changes] = {
    "first price": {
        "mechanism": {"kind": "first-price", "tick_s": 30},
        "groups.bidders.bidding": {"kind": "shaded", "bidders": 5},
    },
    "posted": {
        "mechanism.kind": "posted",
        "models.frontier.capacity.queue": 0,
        "models.frontier.price.usd_per_call": "0.20",
    },
    "reserve": {"models.frontier.price.usd_per_call": "0.20"},
}


@pytest.fixture(scope="module")
def designs() -> Designs:
    return designs_of("auction-designs", {"horizon_h": HOURS}, VARIANTS)


def per_sale(found: Replications, metric: str, least: float, most: float) -> bool:
    """Whether a metric's mean, in cents per slot that was for sale, is within two values."""
    return within(found.interval(metric), least * SALES * CENT, most * SALES * CENT)


def test_a_slot_brings_the_best_losing_bid_of_five(designs: Designs) -> None:
    assert per_sale(designs[BASE], "spend_micros", 26, 27.4)


def test_first_price_among_shading_bidders_brings_the_same(designs: Designs) -> None:
    first, second = designs["first price"], designs[BASE]
    assert within(first.over(second, "spend_micros"), -0.02, 0.02)
    assert within(first.over(second, "market.welfare_micros"), -0.001, 0.001)


def test_auctions_serve_33_cents_worth_and_a_posted_price_29(designs: Designs) -> None:
    assert per_sale(designs[BASE], "market.welfare_micros", 32.8, 33.8)
    assert per_sale(designs["posted"], "market.welfare_micros", 28.2, 29.6)


def test_a_posted_price_of_half_the_most_brings_19_cents(designs: Designs) -> None:
    assert per_sale(designs["posted"], "spend_micros", 19, 19.7)


def test_a_reserve_of_half_the_most_brings_more_and_sells_less(designs: Designs) -> None:
    assert within(designs["reserve"].over(designs[BASE], "spend_micros"), 0, 0.02)
    assert within(designs["reserve"].over(designs[BASE], "tasks.succeeded"), -0.05, -0.01)


# price-war ----------------------------------------------------------------------------------------

MODELS = ("alpha", "beta", "gamma", "delta", "epsilon")
SETTLED = {"horizon_h": 24, **{f"models.{each}.selling.period_h": 0.02 for each in MODELS}}


@pytest.fixture(scope="module")
def war() -> Designs:
    cutting = {f"models.{each}.selling": {"kind": "undercut", "period_h": 0.02} for each in MODELS}
    return designs_of(
        "price-war", SETTLED, {"cheapest": {"router": {"kind": "cheapest"}, **cutting}}
    )


def test_the_war_ends_at_eight_thirds_of_cost_under_inverse_power(war: Designs) -> None:
    needed = 8 / 3 / 0.98 - 1
    assert within(war[BASE].interval("prices.markup"), 0.99 * needed, 1.01 * needed)
    assert within(war[BASE].interval("prices.collusion_index"), -0.01, 0.01)


def test_it_ends_at_cost_where_the_cheapest_takes_all(war: Designs) -> None:
    needed = 1 / 0.98 - 1
    assert within(war["cheapest"].interval("prices.markup"), needed, needed + 0.05)


# quality-vs-price ---------------------------------------------------------------------------------

CHEAPER = {
    "models.house.quality.CHAT_COMPLETION": 0.68,
    "models.house.cost.usd_per_call": "0.002",
}
PROFIT = "models.house.profit_micros"


def at_price(usd: str) -> Changes:
    return {"models.house.selling": {"kind": "fixed"}, "models.house.price.usd_per_call": usd}


@pytest.fixture(scope="module")
def house() -> Designs:
    others = {"cheaper": CHEAPER, "a third off": at_price("0.0048"), "more": at_price("0.0096")}
    return designs_of("quality-vs-price", {"horizon_h": 8}, others)


def test_the_better_model_earns_more_where_worth_is_weighed(house: Designs) -> None:
    assert within(house["cheaper"].over(house[BASE], PROFIT), -0.6, -0.2)


@pytest.mark.parametrize("price", ["a third off", "more"])
def test_the_price_it_finds_earns_more_than_one_a_third_away(house: Designs, price: str) -> None:
    assert within(house[price].over(house[BASE], PROFIT), -0.8, -0.1)


def test_the_cheaper_model_earns_more_where_price_alone_counts() -> None:
    priced = Replications(
        "quality-vs-price", {"router": {"kind": "inverse-power"}, "horizon_h": 8}, REPS
    )
    assert within(priced.but(CHEAPER).over(priced, PROFIT), 0.2, 2)
