"""Figures of prices: each is what its formula says, of records that one can count by hand."""

import numpy as np
import pytest

from sim.metrics import Figures, figures
from sim.metrics.competition import collusion_index
from sim.metrics.prices import gini
from sim.scenario import Scenario, load
from tests.auctions import ON_SUCCESS, bidders, seller
from tests.scenarios_for_tests import Mappings, play, ran, record, scenario, task
from tests.test_competition import market

CENT = 10_000


def auctioned(cost: Mappings | None = None) -> Figures:
    """Three bids of 10, 30 and 20 cents; the first is alone, of the others one gets the slot."""
    what = scenario(
        {"m": seller("0.05", cost=cost), "idle": seller("0.99")}, {"a": bidders(3)},
        mechanism={"kind": "second-price", "tick_s": 1}, router={"kind": "cheapest"},
        rail={**ON_SUCCESS, "fee_bps": 1000},
    )  # fmt: skip
    return figures(
        record(
            play(
                what,
                [task(0.5, 0.9, value_micros=10 * CENT)],
                [task(1.5, 0.9, value_micros=30 * CENT)],
                [task(1.5, 0.9, value_micros=20 * CENT)],
            )
        )
    )


def test_bids_asks_and_clearing_prices_are_means_over_calls() -> None:
    told = auctioned().prices
    assert (told.bid_micros_mean, told.ask_micros_mean) == (20 * CENT, 5 * CENT)
    assert told.clearing_micros_mean == (5 + 20) * CENT // 2
    assert told.revenue_micros == 25 * CENT * 9 // 10
    assert told.surplus_micros == (10 + 30 - 5 - 20) * CENT


def test_an_auction_that_gives_each_slot_to_who_values_it_most_of_those_there_is_efficient() -> (
    None
):
    """Though the 20 cents that lose one slot are more than the 10 that win another."""
    told = auctioned({"kind": "per_call", "usd_per_call": "0.05"}).prices
    assert told.efficiency == 1
    assert told.price_of_anarchy == 1
    assert told.markup == pytest.approx((25 - 10) / 10)
    assert told.gini_revenue == 0.5
    assert auctioned().prices.markup is None


@pytest.mark.parametrize(("second_s", "best"), [(0.55, 40), (0.65, 10)])
def test_first_come_first_served_falls_short_by_what_others_who_waited_then_value_more(
    second_s: float, best: int
) -> None:
    """Of two whose patience is .09 s, whoever came first has the only slot from .6 s on."""
    cost = {"kind": "per_call", "usd_per_call": "0.05"}
    one = {"m": seller("0.05", cost=cost, capacity={"slots": 1, "queue": 1})}
    what = scenario(one, {"a": bidders(3)}, rail=ON_SUCCESS)
    busy, poor = task(0.5, 9, value_micros=90 * CENT), task(0.54, 9, value_micros=10 * CENT)
    rich = task(second_s, 9, value_micros=40 * CENT)
    told = figures(record(play(what, [busy], [poor], [rich]))).prices
    assert told.efficiency == pytest.approx((90 + 10) / (90 + best))
    assert told.price_of_anarchy == pytest.approx((80 + best) / 90)


def test_gini_is_0_for_equals_and_1_less_1_over_n_for_one_who_has_it_all() -> None:
    assert gini(np.array([5, 5, 5])) == 0
    assert gini(np.array([0, 0, 9])) == pytest.approx(2 / 3)
    assert gini(np.array([1, 3])) == pytest.approx(0.25)
    assert gini(np.array([0, 0])) is None


@pytest.mark.parametrize(("conduct", "index"), [("compete", 0), ("collude", 1)])
@pytest.mark.parametrize("outside", [0, None])
def test_the_collusion_index_runs_from_nash_to_monopoly(
    conduct: str, index: int, outside: int | None
) -> None:
    if outside is None and conduct == "collude":
        return
    told = figures(ran(settling(conduct, outside))).prices
    assert told.collusion_index == pytest.approx(index, abs=0.05)


def settling(conduct: str, outside: int | None) -> Scenario:
    """Two models under logit demand, for long enough that their first prices hardly count."""
    logit = {
        "kind": "logit-best-response", "temperature_usd": 0.25, "outside_usd": outside,
        "conduct": conduct,
    }  # fmt: skip
    rule = {key: value for key, value in logit.items() if value is not None}
    router = {"kind": "logit", "temperature_usd": 0.25}
    return market(2, rule, router, max_usd=4, tasks=1200)


def test_the_collusion_index_is_only_defined_where_all_respond_to_one_demand() -> None:
    undercut = {"kind": "undercut"}
    assert figures(ran(market(2, undercut, {"kind": "cheapest"}))).prices.collusion_index is None
    assert figures(ran(scenario(tasks=20))).prices.collusion_index is None


def test_where_the_treasury_takes_all_there_is_no_collusion_to_measure() -> None:
    assert collusion_index(load("price-war", {"rail.fee_bps": 10_000}), 1.0) is None
