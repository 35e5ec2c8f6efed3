"""What the scenarios about prices expect in their first comments, with intervals over seeds."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from sim.experiment.compare import Comparison, compare, comparison
from sim.experiment.session import opened
from sim.experiment.statistics import Interval
from sim.scenario import load

ROOT = Path(__file__).parents[1]
BASE = "as it is"
REPS = 6
Changes = Mapping[str, object]


def compared(
    out: Path, name: str, others: Mapping[str, Changes], shared: Changes | None = None
) -> Comparison:
    """A shipped scenario against variants of itself, under the same seeds, without a chain."""
    path, common = ROOT / "scenarios" / f"{name}.yaml", {"chain.backend": "none", **(shared or {})}
    designs = {BASE: load(path, common)}
    designs |= {label: load(path, {**common, **changes}) for label, changes in others.items()}
    with opened(comparison(designs), out, 1) as session:
        return compare(designs, session, REPS)


def within(interval: Interval | None, least: float, most: float) -> bool:
    """Whether the whole interval lies between two values."""
    assert interval is not None
    assert interval.low is not None
    assert interval.high is not None
    return least <= interval.low <= interval.high <= most


# auction-designs ----------------------------------------------------------------------------------

HOURS = 6
CENT = 10_000
SALES = 120 * HOURS
DESIGNS: Mapping[str, Changes] = {
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
def designs(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    out = tmp_path_factory.mktemp("designs")
    return compared(out, "auction-designs", DESIGNS, {"horizon_h": HOURS})


def per_sale(found: Comparison, metric: str, least: float, most: float, design: str = BASE) -> bool:
    """Whether a metric's mean, in cents per slot that was for sale, is within two values."""
    return within(found.means[design][metric], least * SALES * CENT, most * SALES * CENT)


def test_a_slot_brings_the_best_losing_bid_of_five(designs: Comparison) -> None:
    assert per_sale(designs, "spend_micros", 26, 27.4)


def test_first_price_among_shading_bidders_brings_the_same(designs: Comparison) -> None:
    relative = designs.differences["first price"]["spend_micros"].relative
    assert within(relative, -0.02, 0.02)
    served = designs.differences["first price"]["market.welfare_micros"].relative
    assert within(served, -0.001, 0.001)


def test_auctions_serve_33_cents_worth_and_a_posted_price_29(designs: Comparison) -> None:
    assert per_sale(designs, "market.welfare_micros", 32.8, 33.8)
    assert per_sale(designs, "market.welfare_micros", 28.2, 29.6, "posted")


def test_a_posted_price_of_half_the_most_brings_19_cents(designs: Comparison) -> None:
    assert per_sale(designs, "spend_micros", 19, 19.7, "posted")


def test_a_reserve_of_half_the_most_brings_more_and_sells_less(designs: Comparison) -> None:
    assert within(designs.differences["reserve"]["spend_micros"].relative, 0, 0.02)
    assert within(designs.differences["reserve"]["tasks.succeeded"].relative, -0.05, -0.01)


# price-war ----------------------------------------------------------------------------------------

MODELS = ("alpha", "beta", "gamma", "delta", "epsilon")
SETTLED = {"horizon_h": 24, **{f"models.{each}.selling.period_h": 0.02 for each in MODELS}}


@pytest.fixture(scope="module")
def war(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    cutting = {f"models.{each}.selling": {"kind": "undercut", "period_h": 0.02} for each in MODELS}
    others = {"cheapest": {"router": {"kind": "cheapest"}, **cutting}}
    return compared(tmp_path_factory.mktemp("war"), "price-war", others, SETTLED)


def test_the_war_ends_at_eight_thirds_of_cost_under_inverse_power(war: Comparison) -> None:
    needed = 8 / 3 / 0.98 - 1
    assert within(war.means[BASE]["prices.markup"], 0.99 * needed, 1.01 * needed)
    assert within(war.means[BASE]["prices.collusion_index"], -0.01, 0.01)


def test_it_ends_at_cost_where_the_cheapest_takes_all(war: Comparison) -> None:
    needed = 1 / 0.98 - 1
    assert within(war.means["cheapest"]["prices.markup"], needed, needed + 0.05)


# quality-vs-price ---------------------------------------------------------------------------------

CHEAPER = {
    "models.house.quality.CHAT_COMPLETION": 0.68,
    "models.house.cost.usd_per_call": "0.002",
}
PROFIT = "models.house.profit_micros"


def at_price(usd: str) -> Changes:
    return {"models.house.selling": {"kind": "fixed"}, "models.house.price.usd_per_call": usd}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    others = {"cheaper": CHEAPER, "a third off": at_price("0.0048"), "more": at_price("0.0096")}
    shared = {"horizon_h": 8}
    return compared(tmp_path_factory.mktemp("house"), "quality-vs-price", others, shared)


def test_the_better_model_earns_more_where_worth_is_weighed(house: Comparison) -> None:
    assert within(house.differences["cheaper"][PROFIT].relative, -0.6, -0.2)


@pytest.mark.parametrize("price", ["a third off", "more"])
def test_the_price_it_finds_earns_more_than_one_a_third_away(house: Comparison, price: str) -> None:
    assert within(house.differences[price][PROFIT].relative, -0.8, -0.1)


def test_the_cheaper_model_earns_more_where_price_alone_counts(tmp_path: Path) -> None:
    priced = {"router": {"kind": "inverse-power"}, "horizon_h": 8}
    found = compared(tmp_path, "quality-vs-price", {"cheaper": CHEAPER}, priced)
    assert within(found.differences["cheaper"][PROFIT].relative, 0.2, 2)
