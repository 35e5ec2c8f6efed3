"""Known answers of auctions for capacity, asked of the same world as any scenario."""

import pytest

from tests.auctions import auction, revenue_usd, value_usd
from tests.scenarios_for_tests import ran
from tests.test_theory import near

ROUNDS = 150
SECOND_PRICE = {"kind": "second-price"}
FIRST_PRICE = {"kind": "first-price"}
COUNTS = [2, 3, 5, 10]
RESERVED = {1: 0.25, 2: 0.416667, 3: 0.531250, 5: 0.671875}


@pytest.mark.parametrize("n", COUNTS)
def test_a_second_price_auction_brings_n_minus_1_over_n_plus_1(n):
    def revenue(seed):
        return revenue_usd(ran(auction(SECOND_PRICE, n, ROUNDS, seed)), ROUNDS)

    near(revenue, (n - 1) / (n + 1))


@pytest.mark.parametrize("n", COUNTS)
def test_a_first_price_auction_in_equilibrium_brings_the_same(n):
    def revenue(seed):
        bidding = {"kind": "shaded", "bidders": n}
        return revenue_usd(ran(auction(FIRST_PRICE, n, ROUNDS, seed, bidding=bidding)), ROUNDS)

    near(revenue, (n - 1) / (n + 1))


@pytest.mark.parametrize("n", COUNTS)
def test_the_slot_goes_to_the_greatest_value_n_over_n_plus_1(n):
    near(
        lambda seed: value_usd(ran(auction(SECOND_PRICE, n, ROUNDS, seed)), ROUNDS),
        n / (n + 1),
    )


@pytest.mark.parametrize(("n", "truth"), RESERVED.items())
def test_a_reserve_of_one_half_is_worth_what_myerson_says(n, truth):
    def revenue(seed):
        what = auction(SECOND_PRICE, n, 2 * ROUNDS, seed, reserve_usd="0.5")
        return revenue_usd(ran(what), 2 * ROUNDS)

    near(revenue, truth)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (3, 2), (5, 2), (10, 4)])
def test_k_slots_at_a_uniform_price_cost_n_minus_k_over_n_plus_1_each(n, k):
    def price(seed):
        frames = ran(auction({"kind": "uniform-price"}, n, ROUNDS, seed, slots=k))
        return revenue_usd(frames, ROUNDS) / k

    near(price, (n - k) / (n + 1))


def test_the_equilibrium_bid_is_n_minus_1_of_n():
    n, rounds = 5, 40
    bidding = {"kind": "shaded", "bidders": n}
    frames = ran(auction(FIRST_PRICE, n, rounds, 1, bidding=bidding))
    values = frames.calls.join(frames.tasks.select("task_id", "value_micros"), on="task_id")
    assert (values["bid_micros"] == values["value_micros"] * (n - 1) // n).all()
    paid = values.filter(values["success"])
    assert (paid["charge_micros"] == paid["bid_micros"]).all()
