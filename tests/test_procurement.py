"""Known answers of auctions among models, asked of the same world as any scenario."""

import polars as pl
import pytest

from sim.scenario import Scenario
from sim.strategies import CostPlus, ShadedAsk
from tests.auctions import ON_SUCCESS, bidders, seller
from tests.scenarios_for_tests import Mappings, ran, scenario
from tests.test_theory import near

ROUNDS = 800
COUNTS = [2, 3, 5, 10]
PRIVATE: Mappings = {"kind": "uniform", "high_usd": 1}
TRUE: Mappings = {"kind": "cost-plus"}
FREE = ON_SUCCESS | {"fee_bps": 0}


def tender(
    mechanism: Mappings, count: int, seed: int, selling: Mappings = TRUE, rounds: int = ROUNDS,
    **changes: object,
) -> Scenario:  # fmt: skip
    """So many tasks, each tendered among so many models whose costs are uniform from 0 to 1."""
    models = {f"m{n:02}": seller(0, 100, cost=PRIVATE, selling=selling) for n in range(count)}
    people = bidders(1, values={"kind": "fixed"}, deadline_s=60)
    rules: dict[str, object] = {"mechanism": mechanism, "tasks": rounds, "rail": FREE}
    return scenario(models, {"a": people}, seed=seed, **(rules | changes))


def payment_usd(what: Scenario) -> float:
    """The mean charge of a call, in dollars."""
    calls = ran(what).calls
    return int(calls["charge_micros"].sum()) / len(calls) / 10**6


@pytest.mark.parametrize("n", COUNTS)
def test_the_second_lowest_of_n_costs_is_2_over_n_plus_1(n):
    near(lambda seed: payment_usd(tender({"kind": "reverse-second"}, n, seed)), 2 / (n + 1))


@pytest.mark.parametrize("n", COUNTS)
def test_a_first_price_procurement_in_equilibrium_costs_the_same(n):
    shaded = {"kind": "shaded", "bidders": n, "highest_usd": 1}
    near(lambda seed: payment_usd(tender({"kind": "reverse-first"}, n, seed, shaded)), 2 / (n + 1))


def test_the_equilibrium_ask_is_1_plus_n_minus_1_c_over_n():
    n = 3
    shaded = {"kind": "shaded", "bidders": n, "highest_usd": 1}
    calls = ran(tender({"kind": "reverse-first"}, n, 1, shaded, rounds=100)).calls
    assert (calls["charge_micros"] == calls["ask_micros"]).all()
    asked = -(-(10**6 + (n - 1) * calls["cost_micros"].to_numpy()) // n)
    assert (calls["ask_micros"].to_numpy() == asked).all()


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("payment", ["first-score", "second-score"])
def test_a_scoring_auction_leaves_the_buyer_n_minus_1_over_n_plus_1(n, payment):
    """Quality 1 and a value of 1: the pseudotype, value less cost, is uniform from 0 to 1."""
    shaded = {"kind": "shaded", "bidders": n, "highest_usd": 1}
    selling = TRUE if payment == "second-score" else shaded
    mechanism = {"kind": "scoring", "payment": payment}
    near(lambda seed: 1 - payment_usd(tender(mechanism, n, seed, selling)), (n - 1) / (n + 1))


@pytest.mark.parametrize("kind", ["reverse-second", "scoring", "pay-per-success"])
def test_the_cheapest_model_wins_where_all_are_as_good(kind):
    what = tender({"kind": kind}, 4, 3, rounds=200)
    calls = ran(what).calls
    assert (calls["ask_micros"] == calls["cost_micros"]).all()
    assert calls.filter(pl.col("charge_micros") < pl.col("cost_micros")).is_empty()
    near(lambda seed: ran(tender({"kind": kind}, 4, seed)).calls["cost_micros"].to_numpy().mean(),
         10**6 / 5)  # fmt: skip


@pytest.mark.parametrize("kind", ["reverse-first", "reverse-second", "scoring", "pay-per-success",
                                  "second-price"])  # fmt: skip
@pytest.mark.parametrize("selling", [TRUE, {"kind": "shaded", "bidders": 2, "highest_usd": 1}])
def test_whoever_asks_by_cost_takes_part_though_its_list_price_is_out_of_reach(kind, selling):
    dear = {"m": seller("99", 100, cost=PRIVATE, selling=selling)}
    free = {"m": seller("0", 100, cost=PRIVATE, selling=selling)}
    people = bidders(1, values={"kind": "fixed"}, deadline_s=60)
    found = [
        ran(scenario(models, {"a": people}, mechanism={"kind": kind}, tasks=50, rail=FREE))
        for models in (dear, free)
    ]
    asks, same = (frames.calls["ask_micros"].to_list() for frames in found)
    assert asks == same
    assert len(asks) == 50


def test_a_task_that_every_ask_is_too_dear_for_is_refused_for_its_price():
    costly = {"m": seller("0", 100, cost={"kind": "uniform", "low_usd": 2, "high_usd": 3},
                          selling=TRUE)}  # fmt: skip
    poor = bidders(1, values={"kind": "fixed"}, deadline_s=60)
    frames = ran(scenario(costly, {"a": poor}, mechanism={"kind": "reverse-second"}, tasks=9))
    assert frames.tasks["reason"].to_list() == ["max_price"] * 9


@pytest.mark.parametrize("selling", [
    TRUE, {"kind": "cost-plus", "markup": 0.3},
    {"kind": "shaded", "bidders": 3, "highest_usd": 1},
])  # fmt: skip
@pytest.mark.parametrize("kind", ["reverse-first", "reverse-second", "scoring", "pay-per-success",
                                  "execution-contingent", "second-price", "double"])  # fmt: skip
def test_whoever_asks_by_cost_is_left_what_it_means_to_get_whatever_the_fee_becomes(kind, selling):
    """The fee of the moment is on top; what a winner is left is no less than its cost."""
    fees = [
        {"at_h": 0.02, "kind": "fee", "fee_bps": 1000},
        {"at_h": 0.04, "kind": "fee", "fee_bps": 0},
    ]
    what = tender({"kind": kind}, 3, 5, selling, 200, events=fees, rail=ON_SUCCESS)
    calls = ran(what).calls
    rule = what.models["m00"].selling
    assert isinstance(rule, CostPlus | ShadedAsk)
    bps = [
        200 if at < 0.02 * 3600e6 else 1000 if at < 0.04 * 3600e6 else 0
        for at in calls["started_us"]
    ]
    net = [rule.ask_micros(each) for each in calls["cost_micros"]]
    due = [-(-each * 10_000 // (10_000 - fee)) for each, fee in zip(net, bps, strict=True)]
    assert len(set(bps)) == 3
    assert calls["ask_micros"].to_list() == due
    kept = calls.filter(pl.col("success")).select(
        pl.col("charge_micros") - pl.col("fee_micros") - pl.col("cost_micros")
    )
    assert (kept.to_series() >= 0).all()


def test_where_the_fee_takes_all_nobody_whom_an_answer_costs_anything_asks_little_enough():
    everything = ON_SUCCESS | {"fee_bps": 10_000}
    frames = ran(tender({"kind": "reverse-second"}, 2, 1, rounds=20, rail=everything))
    assert frames.tasks["reason"].to_list() == ["max_price"] * 20


def test_nothing_is_bought_above_the_reserve():
    what = tender({"kind": "reverse-second", "reserve_usd": "0.3"}, 2, 1, rounds=300)
    frames = ran(what)
    assert (frames.calls["charge_micros"] <= 300_000).all()
    refused = frames.tasks.filter(pl.col("reason") == "reserve")
    assert refused.height == pytest.approx(0.49 * 300, abs=40)
    assert (refused["outcome"] == "rejected").all()
