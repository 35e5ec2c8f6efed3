"""List prices that move: what the record says of them, and what regret makes of it."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from sim.metrics import figures
from sim.record.archive import load, save
from sim.record.asides import asides_of
from sim.record.frames import Frames, calls_from_frame, hashes_from_frame, tasks_from_frame
from sim.record.hashing import digest
from sim.scenario import Scenario
from tests.scenarios_for_tests import CHAT, group, model, ran, scenario, token_model
from tests.workflow_helpers import lawful

EVENT = {"at_h": 5, "kind": "price", "model": "rival", "factor": 0.5}


def moving(period_h: float = 1.0, **changes: object) -> Scenario:
    """Agents buy from ``dear``; ``rival``, as good, undercuts it by a tenth, so often."""
    selling = {"kind": "undercut", "by": 0.1, "period_h": period_h}
    cost = {"kind": "per_call", "usd_per_call": "0.0001"}
    models = {
        "dear": model("0.02", quality={CHAT: 0.7}),
        "rival": model("0.03", quality={CHAT: 0.7}, selling=selling, cost=cost),
    }
    picked = {"router": {"kind": "single", "model": "dear"}, "events": [EVENT], "horizon_h": 9}
    return scenario(models, {"a": group(240)}, **(picked | changes))


def asked(frames: Frames, model_id: str, first_micros: int) -> pl.DataFrame:
    """Every call with what a model listed per call when it was quoted."""
    moves = frames.prices.filter(pl.col("model") == model_id).select(
        "first_call", listed="per_call_micros"
    )
    at = frames.calls.sort("call_id").join_asof(
        moves.sort("first_call"), left_on="call_id", right_on="first_call"
    )
    return at.with_columns(pl.col("listed").fill_null(first_micros))


def test_every_price_that_a_seller_or_an_event_moves_is_in_the_record() -> None:
    frames = ran(moving())
    hours = [round(time / 3.6e9, 3) for time in frames.prices["time_us"]]
    found = list(zip(hours, frames.prices["per_call_micros"].to_list(), strict=True))
    # It undercuts once, and has no reason to again; the event halves its list price, no multiple.
    assert found == [(1.0, 18_000), (5.0, 15_000)]
    assert frames.prices["first_call"].to_list() == [
        int((frames.calls["posted_us"] < time).sum()) for time in frames.prices["time_us"]
    ]


def test_a_call_is_quoted_what_the_record_says_was_listed() -> None:
    frames = ran(moving(router={"kind": "cheapest"}))
    rival = asked(frames, "rival", 30_000).filter(pl.col("model") == "rival")
    assert len(rival) > 1000
    assert rival["quote_micros"].to_list() == rival["listed"].to_list()
    assert rival["listed"].n_unique() == 2


def test_regret_takes_the_price_in_force_and_not_the_list_price() -> None:
    frames = ran(moving())
    rival = asked(frames, "rival", 30_000)["listed"]
    wanted = sum(max(0, 20_000 - micros) for micros in rival)
    assert figures(frames).market.regret_micros == wanted > 2_000 * 1_000


def test_regret_looks_no_further_than_what_a_task_is_worth_where_values_are_drawn() -> None:
    """A wrong answer of the better model may take 2.1 cents: a task of less cannot go there."""
    models = {
        "cheap": model("0.001", quality={CHAT: 0.5}),
        "good": token_model(quality={CHAT: 0.9}, wrong_output_factor=100),
    }
    drawn = group(600, value_usd="0.1", values={"kind": "uniform"})
    what = scenario(models, {"a": drawn}, router={"kind": "single", "model": "cheap"},
                    rail={"kind": "batch", "settle_on": "success"})  # fmt: skip
    frames = ran(what)
    values = frames.tasks.select("task_id", "value_micros")
    low = frames.calls.join(values.filter(pl.col("value_micros") < 21_000), on="task_id")
    assert len(low) > 1000
    assert figures(frames).market.regret_micros > 0
    few = replace(frames, calls=low.drop("value_micros"))
    assert figures(few).market.regret_micros == 0


def test_what_a_task_may_cost_is_by_the_values_in_force_when_it_was_posted() -> None:
    """Worth half a dollar, it buys at 70 cents, but never while values are drawn."""
    asking = group(60, values={"kind": "uniform"})
    alike = {"at_h": 5, "set": {"groups.a.values": {"kind": "fixed"}}}
    frames = lawful(scenario({"m": model("0.7")}, {"a": asking}, events=[alike], horizon_h=9))
    assert len(frames.calls) > 100
    assert (frames.calls["posted_us"] >= 5 * 3600 * 10**6).all()


def test_prices_that_stay_leave_no_row_and_the_digest_as_it_is(tmp_path: Path) -> None:
    assert ran(scenario(tasks=50)).prices.is_empty()
    frames = ran(moving())
    save(tmp_path, frames, None)
    again = load(tmp_path).frames
    assert again.prices.equals(frames.prices)
    calls, tasks = calls_from_frame(again.calls), tasks_from_frame(again.tasks)
    hashes = hashes_from_frame(again.calls)
    own, decisions, prices, *_ = asides_of(again)
    assert digest(calls, tasks, hashes, own, decisions, prices) == frames.digest
    assert digest(calls, tasks, hashes, own, decisions) != frames.digest


@pytest.mark.parametrize("period_h", [0.1, 1.0, 5.0])
def test_a_seller_and_an_event_of_one_instant_leave_the_price_that_holds(period_h: float) -> None:
    frames = ran(moving(period_h, router={"kind": "cheapest"}))
    rival = asked(frames, "rival", 30_000).filter(pl.col("model") == "rival")
    assert rival["quote_micros"].to_list() == rival["listed"].to_list()
