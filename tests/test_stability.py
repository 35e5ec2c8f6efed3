"""Stability: what counts as want of capacity, and what does not."""

import polars as pl
import pytest

from sim.metrics.stability import stability
from sim.record.frames import Frames
from tests.auctions import auction, bidders
from tests.scenarios_for_tests import group, model, ran, scenario
from tests.workflow_helpers import studio

SLOW = {"first_token_ms": 10_000, "tokens_per_s": 1e9, "sigma": 0}


def reasons(frames: Frames) -> dict[str, int]:
    """How many tasks ended for each reason."""
    return dict(frames.tasks["reason"].cast(pl.String).value_counts().iter_rows())


@pytest.mark.parametrize("kind", ["first-price", "second-price", "uniform-price", "double"])
def test_a_bid_that_lost_beside_an_idle_slot_is_no_want_of_capacity(kind: str) -> None:
    """Five bids for one slot, sold once a second for a tenth of one: the tick lets four lose."""
    frames = ran(auction({"kind": kind}, 5, 100, 1))
    lost = reasons(frames)
    assert set(lost) <= {"none", "lost_bid", "reserve"}
    assert lost["lost_bid"] > 300
    assert (stability(frames).verdict, stability(frames).lost_share) == ("stable", 0.0)


@pytest.mark.parametrize("tick_s", [None, 1.0])
@pytest.mark.parametrize("kind", ["first-price", "second-price", "uniform-price", "double"])
def test_an_auction_that_starves_is_overloaded(kind: str, tick_s: float | None) -> None:
    """Ten bids for what one slot can do, be it sold as it falls free or by the tick."""
    if tick_s is None and kind in ("uniform-price", "double"):
        pytest.skip("sold by the tick alone")
    busy = model(capacity={"slots": 2, "queue": 1000}, latency=SLOW)
    crowd = bidders(5, arrival={"kind": "poisson", "per_hour": 900}, deadline_s=30)
    rule = {"kind": kind} | ({"tick_s": tick_s} if tick_s else {})
    frames = ran(scenario({"m": busy}, {"a": crowd}, mechanism=rule, horizon_h=1))
    found, lost = stability(frames), reasons(frames)["lost_bid"]
    assert lost > 0.5 * len(frames.tasks)
    assert found.verdict == "overloaded"
    assert found.lost_share == pytest.approx(lost / len(frames.tasks), rel=0.02)


def test_slots_that_come_in_mid_run_count_from_then_on() -> None:
    """One slot starves; of a hundred some stand idle, even where bids lose between two ticks."""
    busy = model(capacity={"slots": 1, "queue": 1000}, latency=SLOW)
    crowd = bidders(5, arrival={"kind": "poisson", "per_hour": 900}, deadline_s=9)
    more = [{"at_h": 0.5, "set": {"models.m.capacity.slots": 100}}]
    what = scenario({"m": busy}, {"a": crowd}, mechanism={"kind": "uniform-price", "tick_s": 10.5},
                    horizon_h=1, events=more)  # fmt: skip
    frames = ran(what)
    lost = frames.tasks.filter(pl.col("reason") == "lost_bid")
    early = lost.filter(pl.col("posted_us") < 1_750 * 10**6)
    late = lost.filter(pl.col("posted_us") >= 1_800 * 10**6)
    assert early.height > 1_500
    assert late.height > 50
    found = round(stability(frames).lost_share * frames.tasks.height)
    assert early.height <= found <= lost.height - late.height


def test_tools_that_outlast_a_deadline_are_no_want_of_capacity() -> None:
    flow = {"plan": {}, "test": {"after": ["plan"], "tool_wait_s": {"median_s": 700}}}
    frames = ran(studio(flow))
    assert set(reasons(frames)) == {"tools", "wrong"}
    assert stability(frames).lost_share == 0.0


@pytest.mark.parametrize("mechanism", ["posted", "reverse-second"])
def test_who_waits_for_a_slot_until_the_deadline_is_lost_for_want_of_capacity(
    mechanism: str,
) -> None:
    busy = model(capacity={"slots": 1, "queue": 100})
    crowd = group(7200, deadline_s=5)
    what = scenario({"m": busy}, {"a": crowd}, mechanism={"kind": mechanism}, horizon_h=1)
    frames = ran(what)
    lost = reasons(frames)["deadline"]
    assert stability(frames).verdict == "overloaded"
    assert stability(frames).lost_share == lost / len(frames.tasks) > 0.1
