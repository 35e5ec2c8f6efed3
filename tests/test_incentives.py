"""Incentives, played through the market: who gains by misreporting a value, a cost, a quality."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.scenario import Scenario
from tests.auctions import ON_SUCCESS, bidders, seller
from tests.scenarios_for_tests import CHAT, RIGHT, WRONG, Mappings, play, record, scenario, task

CENTS = st.integers(0, 100)
GRID = [0, 10, 25, 40, 50, 60, 75, 90, 100]
CENT = 10_000


def gain(kind: str, value: int, bid: int, others: list[int]) -> int:
    """What the first bidder gains, in micros, who bids so much for what is worth so much."""
    what = scenario(
        {"m": seller()}, {"a": bidders(1 + len(others))}, rail=ON_SUCCESS,
        mechanism={"kind": kind, "tick_s": 1},
    )  # fmt: skip
    asked = [[task(0.5, 0.9, value_micros=CENT * each)] for each in (bid, *others)]
    mine = record(play(what, *asked)).calls.filter(pl.col("agent") == "a/0", pl.col("success"))
    return sum(CENT * value - charge for charge in mine["charge_micros"])


@settings(max_examples=12)
@given(CENTS, st.lists(CENTS, min_size=1, max_size=3))
@pytest.mark.parametrize("kind", ["second-price", "uniform-price"])
def test_no_bid_on_a_grid_gains_more_than_the_value_where_the_winner_pays_a_losing_bid(
    kind: str, value: int, others: list[int]
) -> None:
    truth = gain(kind, value, value, others)
    assert truth >= 0
    assert all(gain(kind, value, bid, others) <= truth for bid in GRID)


@settings(max_examples=12)
@given(st.integers(2, 100), st.lists(st.integers(0, 98), min_size=1, max_size=3))
def test_in_a_first_price_auction_some_lower_bid_gains_more_than_the_truth(
    value: int, others: list[int]
) -> None:
    others = [min(other, value - 2) for other in others]
    assert gain("first-price", value, value, others) == 0
    assert gain("first-price", value, value - 1, others) > 0


# Models -----------------------------------------------------------------------------------------

Offer = tuple[int, int]
"""What a model says of itself: its cost in cents, and how often it is right in percent."""
OFFERS = st.tuples(st.integers(1, 99), st.integers(2, 98))


def tender(mechanism: Mappings, offers: list[Offer]) -> Scenario:
    """One agent to whom an answer is worth a dollar, and models that say so much of themselves."""
    models = {
        f"m{n}": seller(
            f"{cost / 100:.2f}", quality={CHAT: 0.5}, declared_quality={CHAT: right / 100}
        )
        for n, (cost, right) in enumerate(offers)
    }
    return scenario(models, {"a": bidders(1)}, mechanism=mechanism)


def profit(mechanism: Mappings, offers: list[Offer], truth: Offer) -> float:
    """The expected profit of the first model in micros, whose true cost and quality these are."""
    cost, right = truth[0] * CENT, truth[1] / 100
    paid = []
    for difficulty in (RIGHT, WRONG):
        asked = [task(1, difficulty=difficulty, value_micros=1_000_000)]
        calls = record(play(tender(mechanism, offers), asked)).calls
        mine = calls.filter(pl.col("model") == "m0")
        if mine.is_empty():
            return 0.0
        paid.append(int(mine["charge_micros"][0]) - int(mine["slash_micros"][0]))
    return right * paid[0] + (1 - right) * paid[1] - cost


@settings(max_examples=25, deadline=None)
@given(OFFERS, st.lists(OFFERS, min_size=1, max_size=3), OFFERS)
def test_under_execution_contingent_payments_no_misreport_of_cost_or_quality_gains(
    truth: Offer, others: list[Offer], lie: Offer
) -> None:
    mechanism = {"kind": "execution-contingent"}
    honest = profit(mechanism, [truth, *others], truth)
    assert honest >= -1
    assert profit(mechanism, [lie, *others], truth) <= honest + 2
    assert profit(mechanism, [(lie[0], truth[1]), *others], truth) <= honest + 2
    assert profit(mechanism, [(truth[0], lie[1]), *others], truth) <= honest + 2


@settings(max_examples=15, deadline=None)
@given(OFFERS, st.lists(OFFERS, min_size=1, max_size=3), st.integers(1, 99))
@pytest.mark.parametrize("kind", ["pay-per-success", "scoring", "reverse-second"])
def test_no_misreport_of_cost_gains_where_the_runner_up_makes_the_price(
    kind: str, truth: Offer, others: list[Offer], asked: int
) -> None:
    """The quality is the validators', which a model cannot report."""
    honest = profit({"kind": kind}, [truth, *others], truth)
    assert honest >= -1
    assert profit({"kind": kind}, [(asked, truth[1]), *others], truth) <= honest + 2


def test_overstating_its_quality_gains_where_payment_does_not_depend_on_success() -> None:
    truth, others = (30, 40), [(20, 80)]
    lie = (30, 98)
    assert profit({"kind": "scoring"}, [truth, *others], truth) == 0
    assert profit({"kind": "scoring"}, [lie, *others], truth) > 0
    contingent = {"kind": "execution-contingent"}
    assert profit(contingent, [lie, *others], truth) < 0


TWO, ALONE = [(30, 90), (10, 80)], [(10, 80)]
AWARDS = [
    # mechanism, offers (cents, percent), paid if right, if wrong, slashed if wrong, in micros
    ({"kind": "reverse-first"}, TWO, 100_000, 100_000, 0),
    ({"kind": "reverse-second"}, TWO, 300_000, 300_000, 0),
    ({"kind": "reverse-second"}, ALONE, 1_000_000, 1_000_000, 0),
    ({"kind": "reverse-second", "reserve_usd": "0.5"}, ALONE, 500_000, 500_000, 0),
    ({"kind": "scoring", "payment": "first-score"}, TWO, 100_000, 100_000, 0),
    ({"kind": "scoring"}, TWO, 200_000, 200_000, 0),  # 1 x .8 - .2 = 1 x .9 - .3
    ({"kind": "scoring"}, ALONE, 800_000, 800_000, 0),
    ({"kind": "pay-per-success"}, TWO, 333_334, 0, 0),  # .3 / .9, rounded up
    ({"kind": "pay-per-success", "reserve_usd": "0.2"}, TWO, 200_000, 0, 0),
    ({"kind": "execution-contingent"}, TWO, 400_000, 0, 600_000),  # 1 - (.9 - .3)
    ({"kind": "execution-contingent"}, ALONE, 1_000_000, 0, 0),
]


@pytest.mark.parametrize(("mechanism", "offers", "right", "wrong", "slashed"), AWARDS)
def test_an_award_is_what_one_reckons_by_hand(
    mechanism: Mappings, offers: list[Offer], right: int, wrong: int, slashed: int
) -> None:
    paid = []
    for difficulty in (RIGHT, WRONG):
        asked = [task(1, difficulty=difficulty, value_micros=1_000_000)]
        (call,) = record(play(tender(mechanism, offers), asked)).calls.to_dicts()
        assert call["model"] == f"m{len(offers) - 1}"
        paid.append((call["charge_micros"], call["slash_micros"]))
    assert paid == [(right, 0), (wrong, slashed)]


def test_a_winner_that_fails_owes_the_runner_ups_welfare_and_pays_it_from_its_bond() -> None:
    offers = [(10, 90), (20, 80)]
    what = tender({"kind": "execution-contingent", "bond_usd": 2}, offers)
    frames = record(play(what, [task(1, difficulty=WRONG, value_micros=1_000_000)]))
    moved = frames.transfers.filter(pl.col("kind") == "slash")
    assert moved.select("source", "target").rows() == [("model:m0", "agent:a/0")]
    assert int(moved["amount"].sum()) == 600_000
    bonds = frames.transfers.filter(
        pl.col("kind") == "mint", pl.col("target").cast(pl.String).str.starts_with("model:")
    )
    assert [int(each) for each in bonds["amount"]] == [2_000_000] * 2


def test_a_model_whose_bond_is_used_up_takes_no_further_part() -> None:
    offers = [(10, 90), (20, 80)]
    what = tender({"kind": "execution-contingent", "bond_usd": 2}, offers)
    mine = [task(n, difficulty=WRONG, value_micros=1_000_000) for n in range(1, 6)]
    calls = record(play(what, mine)).calls
    assert calls["model"].to_list() == ["m0", "m0", "m1", "m1", "m1"]
    assert calls["slash_micros"].to_list() == [600_000, 600_000, 0, 0, 0]
