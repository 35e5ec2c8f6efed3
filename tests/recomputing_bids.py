"""Bids that lost for want of a slot, counted once more, bid by bid."""

import polars as pl

from sim.scenario import Scenario

ANSWERED = ["none", "wrong", "late", "believed", "doubted"]
OF_A_BID = ("model", "posted_us", "finished_us")


def bids_crowded_out(calls: pl.DataFrame, tasks: pl.DataFrame, of: Scenario) -> int:
    """Tasks whose last bid lost while its model had no time for one more answer.

    Args:
        of: what was run; its models have the same slots from first to last.
    """
    ended = tasks.filter(reason="lost_bid")["task_id"].to_list()
    bids = calls.filter(pl.col("task_id").is_in(ended), reason="lost_bid").sort("call_id")
    last = {task: bid for task, *bid in bids.select("task_id", *OF_A_BID).iter_rows()}
    return sum(crowded(calls, of, *bid) for bid in last.values())


def crowded(calls: pl.DataFrame, of: Scenario, model: str, since_us: int, until_us: int) -> bool:
    """Whether the model's slots stood idle for less than an answer takes, while a bid stood."""
    served = calls.filter(pl.col("started_us") < pl.col("finished_us"), model=model)
    took = served.filter(pl.col("reason").is_in(ANSWERED))
    if served.is_empty():
        return False
    busy_us = sum(
        max(0, min(end, until_us) - max(start, since_us))
        for start, end in served.select("started_us", "finished_us").iter_rows()
    )
    idle_us = of.models[model].capacity.slots * (until_us - since_us) - busy_us
    answers_us: int = sum((took["finished_us"] - took["started_us"]).to_list())
    return bool(idle_us * max(1, took.height) < answers_us)
