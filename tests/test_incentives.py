"""Incentives, played through the market: who gains by misreporting a value, a cost, a quality."""

from collections.abc import Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.metrics import figures
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


class Seller(NamedTuple):
    """What is true of a model: its cost in micros, and how often it is right in percent."""

    cost: int
    right: int


SELLERS = st.builds(Seller, st.integers(10_000, 990_000), st.integers(2, 98))
FEES = st.sampled_from([0, 200, 1000])
NEAR = st.integers(-40, 40)
"""A rival's cost, per mille off one's own: within the fee of it, more often than not."""
VALUE = 1_000_000
ROUNDING = 4
"""Micros that may be gained by it: an award, what is owed, the fee and the ask are whole."""


def tender(mechanism: Mappings, offers: list[Offer]) -> Scenario:
    """One agent to whom an answer is worth a dollar, and models that say so much of themselves."""
    models = {
        f"m{n}": seller(
            f"{cost / 100:.2f}", quality={CHAT: 0.5}, declared_quality={CHAT: right / 100}
        )
        for n, (cost, right) in enumerate(offers)
    }
    return scenario(models, {"a": bidders(1)}, mechanism=mechanism)


def honest(model: Seller, lies: Mappings = MappingProxyType({})) -> dict[str, object]:
    """A model that asks by its cost and declares its quality, unless it lies."""
    cost = {"kind": "per_call", "usd_per_call": f"{model.cost / VALUE:.6f}"}
    true = {"selling": {"kind": "cost-plus"}, "declared_quality": {CHAT: model.right / 100}}
    return seller(0, cost=cost, quality={CHAT: 0.5}) | true | dict(lies)


def asking(micros: int) -> dict[str, object]:
    """The lie of a model that asks so much, whatever an answer costs it."""
    listed = {"kind": "per_call", "usd_per_call": f"{micros / VALUE:.6f}"}
    return {"selling": {"kind": "fixed"}, "price": listed}


def profit(
    mechanism: Mappings, fee_bps: int, one: Seller, others: Sequence[Seller],
    lies: Mappings = MappingProxyType({}), settle_on: str = "delivered",
) -> float:  # fmt: skip
    """The profit in micros that one model is to expect of a task, as the summary counts it."""
    models = {"m0": honest(one, lies)}
    models |= {f"m{n}": honest(other) for n, other in enumerate(others, 1)}
    rail = {"kind": "batch", "fee_bps": fee_bps, "settle_on": settle_on}
    what = scenario(models, {"a": bidders(1)}, mechanism=mechanism, rail=rail)
    found = []
    for difficulty in (RIGHT, WRONG):
        frames = record(play(what, [task(1, difficulty=difficulty, value_micros=VALUE)]))
        found.append(figures(frames).models["m0"].profit_micros)
    return (one.right * found[0] + (100 - one.right) * found[1]) / 100


def rivals(one: Seller, apart: Sequence[int]) -> list[Seller]:
    """Models as good, at costs a little off."""
    return [Seller(one.cost * (1000 + each) // 1000, one.right) for each in apart]


def lies_of(one: Seller, share: int, right: int) -> list[dict[str, object]]:
    """Asks of so many per mille of the cost, and another quality; both, and each alone."""
    ask = asking(one.cost * share // 1000)
    said: dict[str, object] = {"declared_quality": {CHAT: right / 100}}
    return [ask, said, ask | said]


@settings(max_examples=25, deadline=None)
@given(SELLERS, st.lists(NEAR, min_size=1, max_size=2), FEES, st.integers(900, 1200),
       st.integers(2, 98))  # fmt: skip
def test_under_execution_contingent_payments_no_misreport_of_cost_or_quality_gains(
    one: Seller, apart: list[int], fee_bps: int, share: int, right: int
) -> None:
    """Whatever the fee, among rivals whom it alone could make the cheaper ones."""
    earned = partial(profit, {"kind": "execution-contingent"}, fee_bps, one, rivals(one, apart))
    truth = earned()
    assert truth >= 0
    assert all(earned(lie) <= truth + ROUNDING for lie in lies_of(one, share, right))


@settings(max_examples=20, deadline=None)
@given(SELLERS, st.lists(SELLERS, min_size=1, max_size=3), FEES, st.integers(1, 3000),
       st.integers(2, 98))  # fmt: skip
def test_nor_does_one_among_rivals_of_any_cost_and_quality(
    one: Seller, others: list[Seller], fee_bps: int, share: int, right: int
) -> None:
    earned = partial(profit, {"kind": "execution-contingent"}, fee_bps, one, others)
    truth = earned()
    assert truth >= 0
    assert all(earned(lie) <= truth + ROUNDING for lie in lies_of(one, share, right))


@settings(max_examples=15, deadline=None)
@given(SELLERS, st.lists(NEAR, min_size=1, max_size=2), FEES, st.integers(900, 1200))
@pytest.mark.parametrize("kind", ["pay-per-success", "scoring", "reverse-second"])
def test_no_misreport_of_cost_gains_where_the_runner_up_makes_the_price(
    kind: str, one: Seller, apart: list[int], fee_bps: int, share: int
) -> None:
    """The quality is the validators', which a model cannot report."""
    earned = partial(profit, {"kind": kind}, fee_bps, one, rivals(one, apart))
    assert earned() >= 0
    assert earned(asking(one.cost * share // 1000)) <= earned() + ROUNDING


@pytest.mark.parametrize("fee_bps", [0, 200, 1000])
@pytest.mark.parametrize("kind", ["reverse-second", "execution-contingent", "pay-per-success"])
def test_asking_the_truth_never_loses_where_the_fee_is_more_than_the_lead(
    kind: str, fee_bps: int
) -> None:
    one, rival = Seller(100_000, 90), Seller(100_500, 90)
    truth = profit({"kind": kind}, fee_bps, one, [rival])
    assert 400 < truth < 600
    more = asking(one.cost * 10_204 // 10_000)
    assert profit({"kind": kind}, fee_bps, one, [rival], more) <= truth
    assert profit({"kind": kind}, fee_bps, rival, [one]) == 0


@pytest.mark.parametrize("right", [50, 80, 98])
@pytest.mark.parametrize("fee_bps", [0, 200])
@pytest.mark.parametrize(("kind", "bears"), [
    ("reverse-second", True), ("scoring", True), ("pay-per-success", False),
])  # fmt: skip
def test_who_asks_the_cost_of_one_answer_bears_its_wrong_ones_where_only_right_ones_are_paid(
    kind: str, bears: bool, fee_bps: int, right: int
) -> None:
    """Against one just like it: the price is the ask, unless the chance to be right is in it."""
    one = Seller(100_000, right)
    earned = profit({"kind": kind}, fee_bps, one, [one], settle_on="success")
    assert earned == pytest.approx(-one.cost * (100 - right) / 100 if bears else 0, abs=ROUNDING)
    delivered = profit({"kind": kind}, fee_bps, one, [one])
    assert delivered == pytest.approx(0, abs=ROUNDING)


def test_overstating_its_quality_gains_where_payment_does_not_depend_on_success() -> None:
    one, others = Seller(300_000, 40), [Seller(200_000, 80)]
    lie = {"declared_quality": {CHAT: 0.98}}
    assert profit({"kind": "scoring"}, 200, one, others) == 0
    assert profit({"kind": "scoring"}, 200, one, others, lie) > 0
    assert profit({"kind": "execution-contingent"}, 200, one, others, lie) < 0


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
    ({"kind": "execution-contingent"}, TWO, 400_000, 0, 588_000),  # .98 (.9 - .3)
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
    assert int(moved["amount"].sum()) == 588_000
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
    assert calls["slash_micros"].to_list() == [588_000, 588_000, 0, 0, 0]
