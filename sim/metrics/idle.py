"""Idle slots: whether a bid lost for want of capacity, or while slots stood idle until a tick."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from sim.record import ANSWERED_NAMES
from sim.record.asides import slots_from_frame
from sim.record.frames import Frames, codes
from sim.scenario.phases import phases
from sim.units import Int64Array

OF_CALLS = ("call_id", "task_id", "model", "posted_us", "started_us", "finished_us", "reason")


def lost_for_capacity(frames: Frames) -> int:
    """Tasks that ended with a bid that lost while its model had no capacity to spare.

    That is while its slots, from when the bid was posted until it lost, stood idle in all for less
    time than the model's answers take on average. Where slots are sold as they fall free they never
    do; by the tick they may.
    """
    last = frames.tasks.lazy().filter(pl.col("reason") == "lost_bid").select("task_id")
    calls = frames.calls.lazy().select(OF_CALLS)
    lost = (
        calls.filter(pl.col("reason") == "lost_bid")
        .join(last, on="task_id", how="semi")
        .sort("call_id")
        .unique("task_id", keep="last", maintain_order=True)
        .collect()
    )
    if lost.is_empty():
        return 0
    served = calls.filter(pl.col("started_us") < pl.col("finished_us")).collect()
    return sum(
        _lost(frames, name, lost.filter(model=name), served.filter(model=name))
        for name in lost["model"].unique(maintain_order=True).to_list()
    )


def _lost(frames: Frames, name: str, lost: pl.DataFrame, served: pl.DataFrame) -> int:
    started, finished = (np.sort(codes(served[f"{end}_us"])) for end in ("started", "finished"))
    if not len(started):
        return 0
    answers = served.filter(pl.col("reason").is_in(ANSWERED_NAMES))
    service_us = int((answers["finished_us"] - answers["started_us"]).sum()) / max(1, len(answers))
    times = codes(lost["posted_us"]), codes(lost["finished_us"])
    slots = _slots_us(frames, name, times)
    busy_us = np.diff(_since_us(started, times) - _since_us(finished, times), axis=0)[0]
    idle_us = np.diff(slots, axis=0)[0] - busy_us
    return int((idle_us < service_us).sum())


def _since_us(starts: Int64Array, times: Sequence[Int64Array]) -> Int64Array:
    """(times, n): the time since each of the starts that were before, summed, at each time."""
    before = np.concatenate([[0], np.cumsum(starts)])
    found = [np.searchsorted(starts, each) for each in times]
    return np.array([n * each - before[n] for n, each in zip(found, times, strict=True)])


def _slots_us(frames: Frames, name: str, times: Sequence[Int64Array]) -> Int64Array:
    """(times, n): slot-microseconds that a model has had by each time."""
    moved, first = slots_from_frame(frames.slots), phases(frames.scenario).first
    mine = moved.take(np.flatnonzero(moved.model == list(first.models).index(name)))
    since = np.concatenate([[0], mine.time_us])
    had = np.concatenate([[first.models[name].capacity.slots], mine.slots])
    whole = np.concatenate([[0], np.cumsum(had[:-1] * np.diff(since))])
    found = [np.searchsorted(since, each, side="right") - 1 for each in times]
    return np.array(
        [whole[n] + had[n] * (each - since[n]) for n, each in zip(found, times, strict=True)]
    )
