"""The best allocation of a record's answers once more, slot by slot, from its Parquet files."""

from collections.abc import Iterator

import polars as pl

from sim.scenario.phases import Phases
from tests.recomputing_bids import ANSWERED


def efficiency(
    calls: pl.DataFrame, tasks: pl.DataFrame, phases: Phases, costs: int
) -> Iterator[tuple[str, float | None]]:
    """How far the run was from the best allocation, without and with what answers cost."""
    won = int(tasks.filter(pl.col("outcome") == "succeeded")["value_micros"].sum())
    best = max(won, sum(by_value(calls, tasks, phases)))
    yield "prices.efficiency", won / best if best else None
    yield "prices.price_of_anarchy", (best - costs) / (won - costs) if won > costs else None


def by_value(calls: pl.DataFrame, tasks: pl.DataFrame, phases: Phases) -> Iterator[int]:
    """The value of each right answer to whoever valued it most of those who waited, one by one."""
    answers = calls.filter(pl.col("reason").is_in(ANSWERED))
    begun = answers.group_by("task_id").agg(begun_us=pl.col("started_us").min())
    rows = tasks.join(begun, on="task_id", how="left").sort("posted_us", "task_id").to_dicts()
    won = [row for row in rows if row["outcome"] == "succeeded"]
    yield from (row["value_micros"] for row in won if row["begun_us"] is None)
    served = [row for row in won if row["begun_us"] is not None]
    left = [row for row in rows if row in served or (row["begun_us"] is None and row not in won)]
    for row in left:
        group = phases.at(row["posted_us"]).groups[row["group"]]
        row["until_us"] = row["posted_us"] + round(group.deadline_s * 1e6)
    for now in sorted(row["begun_us"] for row in served):
        alive = [row for row in left if row["posted_us"] <= now <= row["until_us"]]
        if alive:
            best = max(alive, key=lambda row: (row["value_micros"], -row["until_us"]))
            left.remove(best)
            yield best["value_micros"]
