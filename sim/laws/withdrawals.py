"""What the laws ask of withdrawals: only of what is free, and not before their time."""

from collections import defaultdict

import polars as pl

from sim.laws.evidence import Evidence
from sim.rails import timelock_s
from sim.record import Withdrawals
from sim.record.asides import withdrawals_from_frame
from sim.units import US_PER_S


def claims(evidence: Evidence) -> Withdrawals:
    """What agents asked for; from then on it is not theirs to spend."""
    rows = withdrawals_from_frame(evidence.frames.withdrawals)
    return rows.take((rows.executed == 0).nonzero()[0])


def withdrawals_out_of_order(evidence: Evidence) -> int:
    """How many withdrawals do not follow their own request by the timelock, or moved no money.

    Nor may a request be left without one, once its timelock is over.
    """
    frames = evidence.frames
    rows = withdrawals_from_frame(frames.withdrawals)
    wait_us = timelock_s(frames.scenario.rail) * US_PER_S
    asked: dict[int, list[tuple[int, int]]] = defaultdict(list)
    paid, broken = [], 0
    for time_us, agent, executed, micros in zip(
        rows.time_us.tolist(), rows.agent.tolist(), rows.executed.tolist(), rows.micros.tolist(),
        strict=True,
    ):  # fmt: skip
        if not executed:
            broken += len(asked[agent])  # one at a time
            asked[agent].append((time_us + wait_us, micros))
        else:
            broken += asked[agent] != [(time_us, micros)]
            asked[agent] = []
            paid.append((time_us, f"agent:{evidence.names.agents[agent]}", micros))
    waiting = [due_us for mine in asked.values() for due_us, _ in mine]
    broken += sum(due_us < frames.duration_us for due_us in waiting)
    return broken + len(set(paid) ^ set(_moved(frames.transfers)))


def _moved(transfers: pl.DataFrame) -> list[tuple[int, str, int]]:
    moved = transfers.filter(pl.col("kind") == "withdrawal")
    rows = moved.select(
        "time_us", pl.col("source").cast(pl.String), pl.col("amount").cast(pl.Int64)
    )
    return [(time_us, source, amount) for time_us, source, amount in rows.iter_rows()]
