"""The call market: bids and free slots cross at one price, and no more trades than that."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.record.frames import Frames
from tests.auctions import ON_SUCCESS, bidders, seller
from tests.scenarios_for_tests import Mappings, play, record, scenario, task

CENT = 10_000
DOUBLE: Mappings = {"kind": "double", "tick_s": 1}
CENTS = st.integers(0, 100)


def cross(bids: list[int], asks: list[tuple[int, int]], **changes: object) -> Frames:
    """One call market of bids and (ask, slots) in cents."""
    models = {f"m{n}": seller(f"{ask / 100:.2f}", slots) for n, (ask, slots) in enumerate(asks)}
    what = scenario(models, {"a": bidders(len(bids), **changes)}, rail=ON_SUCCESS, mechanism=DOUBLE)
    return record(play(what, *([task(0.5, 0.9, value_micros=CENT * bid)] for bid in bids)))


def book(bids: list[int], asks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The pairs of the field's textbook: highest bid with lowest ask, while they meet."""
    slots = sorted(ask for ask, count in asks for _ in range(count))
    return [
        (bid, ask)
        for bid, ask in zip(sorted(bids, reverse=True), slots, strict=False)
        if bid >= ask
    ]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(CENTS, min_size=1, max_size=6),
    st.lists(st.tuples(CENTS, st.integers(1, 3)), min_size=1, max_size=4),
)
def test_as_many_trade_as_bids_and_asks_meet_all_at_the_price_between(
    bids: list[int], asks: list[tuple[int, int]]
) -> None:
    traded = cross(bids, asks).calls.filter(pl.col("success"))
    pairs = book(bids, asks)
    assert sorted(traded["bid_micros"] // CENT) == sorted(bid for bid, _ in pairs)
    assert sorted(traded["ask_micros"] // CENT) == sorted(ask for _, ask in pairs)
    if pairs:
        bid, ask = pairs[-1]
        assert set(traded["charge_micros"]) == {CENT * (bid + ask) // 2}


def test_a_bid_that_no_slot_meets_waits_for_the_next_tick_until_its_deadline() -> None:
    models = {"m": seller("0.10", 1)}
    what = scenario(models, {"a": bidders(2)}, rail=ON_SUCCESS, mechanism=DOUBLE)
    first = [task(0.5, 5, value_micros=90 * CENT)]
    second = [task(0.6, 5, value_micros=50 * CENT)]
    calls = record(play(what, first, second)).calls.sort("agent")
    assert calls["started_us"].to_list() == [1_000_000, 2_000_000]
    assert calls["charge_micros"].to_list() == [50 * CENT, 30 * CENT]


def test_a_group_is_matched_only_with_models_that_meet_its_requirements() -> None:
    models = {"cheap": seller("0.01", 5, origin="US"), "dear": seller("0.30", 5, origin="EU")}
    groups = {
        "any": bidders(1),
        "picky": bidders(1, requires={"origins": ["EU"]}),
    }
    what = scenario(models, groups, rail=ON_SUCCESS, mechanism=DOUBLE)
    asked = [[task(0.5, 0.9, value_micros=80 * CENT)] for _ in range(2)]
    calls = record(play(what, *asked)).calls.sort("group")
    assert calls["model"].to_list() == ["cheap", "dear"]
    assert calls["charge_micros"].to_list() == [55 * CENT] * 2


@pytest.mark.parametrize("bid", [9, 10])
def test_an_ask_is_a_reserve(bid: int) -> None:
    traded = cross([bid], [(10, 1)]).calls.filter(pl.col("success"))
    assert len(traded) == (bid == 10)
