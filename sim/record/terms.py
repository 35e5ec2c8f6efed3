"""Terms: what a call's agent and its treasury went by, in the phase that was in force."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from sim.record.frames import Frames, codes
from sim.scenario.phases import Phases, phases
from sim.scenario.schema import Scenario
from sim.strategies import Fixed
from sim.units import Int64Array, micros_from_usd_exact


def limits_micros(
    every: Phases, posted_us: Int64Array, group: Int64Array, value_micros: Int64Array
) -> Int64Array:
    """The most that each task's call may cost, by when it was posted, its agent's group, its value.

    That is the group's maximum price; where values are drawn, at most what the task is worth.
    """
    prices = np.array(
        [
            [micros_from_usd_exact(g.max_price_usd) for g in phase.scenario.groups.values()]
            for phase in every
        ]
    )
    drawn = np.array(
        [
            [not isinstance(g.values, Fixed) for g in phase.scenario.groups.values()]
            for phase in every
        ]
    )
    number = every.of(posted_us)
    limits: Int64Array = prices[number, group]
    return np.where(drawn[number, group], np.minimum(limits, value_micros), limits)


def calls_by_phase(frames: Frames, *columns: str) -> Iterator[tuple[Scenario, pl.DataFrame]]:
    """Each phase with these columns of the calls that were posted in it."""
    every, calls = phases(frames.scenario), frames.calls.select(columns)
    number = every.of(frames.calls["posted_us"].to_numpy()) if len(every) > 1 else None
    for at, phase in enumerate(every):
        yield phase.scenario, calls if number is None else calls.filter(number == at)


def fees_bps(every: Phases, finished_us: Int64Array) -> Int64Array:
    """The fee of each call, by when it ended."""
    fees = np.array([phase.scenario.rail.fee_bps for phase in every])
    found: Int64Array = fees[every.of(finished_us)]
    return found


def of_tasks(frames: Frames, column: str) -> Int64Array:
    """A column of each call's task; 0 where a broken run has not recorded the task."""
    calls, tasks = (frame["task_id"].to_numpy() for frame in (frames.calls, frames.tasks))
    values: Int64Array = np.zeros(1 + max(calls.max(initial=-1), tasks.max(initial=-1)), np.int64)
    values[tasks] = codes(frames.tasks[column])
    found: Int64Array = values[calls]
    return found
