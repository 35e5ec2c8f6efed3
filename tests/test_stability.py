"""Stability: what counts as want of capacity, and what does not."""

import polars as pl
import pytest

from sim.metrics.stability import stability
from sim.record.frames import Frames
from tests.auctions import auction
from tests.scenarios_for_tests import group, model, ran, scenario
from tests.workflow_helpers import studio


def reasons(frames: Frames) -> dict[str, int]:
    """How many tasks ended for each reason."""
    return dict(frames.tasks["reason"].cast(pl.String).value_counts().iter_rows())


@pytest.mark.parametrize("kind", ["first-price", "second-price", "uniform-price", "double"])
def test_a_bid_that_lost_is_no_want_of_capacity(kind: str) -> None:
    """Five bids for one slot, a hundred times over: four lose, as an auction is meant to do."""
    frames = ran(auction({"kind": kind}, 5, 100, 1))
    lost = reasons(frames)
    assert set(lost) <= {"none", "lost_bid", "reserve"}
    assert lost["lost_bid"] > 300
    assert (stability(frames).verdict, stability(frames).lost_share) == ("stable", 0.0)


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
