"""Readings: waits, losses, numbers waiting and batches' delays, read off a record."""

import numpy as np
import numpy.typing as npt
import polars as pl

from sim.record.frames import Frames
from sim.units import US_PER_S

Floats = npt.NDArray[np.float64]
WARM_UP = 0.1
"""The share of a run's first tasks that is left out: it starts empty, theory speaks of later."""


def settled(frames: Frames, warm_up: float = WARM_UP) -> pl.DataFrame:
    """The calls of all tasks but the first."""
    return frames.calls.filter(pl.col("task_id") >= round(warm_up * len(frames.tasks)))


def chance(calls: pl.DataFrame, per_s: float, mean_s: float = 1.0) -> list[float]:
    """How much later than on average tasks came, and longer answers took; relative, mean zero.

    Args:
        per_s: rate of Poisson arrivals, of which no task is left out. mean_s: of a service.
    """
    served = between_s(calls, "started_us", "finished_us")
    posted = calls["posted_us"].to_numpy() / US_PER_S
    gap = float(posted[-1] - posted[0]) / (len(posted) - 1)
    return [gap * per_s - 1, float(served.mean()) / mean_s - 1]


def between_s(calls: pl.DataFrame, start: str, end: str) -> Floats:
    """Seconds from one instant of each call to another, as from ``posted_us`` to ``started_us``."""
    passed: Floats = (calls[end] - calls[start]).to_numpy() / US_PER_S
    return passed


def mean_wait_s(calls: pl.DataFrame) -> float:
    """Mean seconds from posting to service."""
    return float(between_s(calls, "posted_us", "started_us").mean())


def lost_share(frames: Frames) -> float:
    """The share of tasks, after the warm-up, that found no room."""
    tasks = frames.tasks.filter(pl.col("task_id") >= round(WARM_UP * len(frames.tasks)))
    return float((tasks["reason"] == "no_capacity").to_numpy().mean())


def window_us(frames: Frames) -> tuple[int, int]:
    """The time in which tasks were posted, less the warm-up."""
    last = int(frames.tasks["posted_us"].to_numpy().max())
    return round(WARM_UP * last), last


def mean_number(frames: Frames, calls: pl.DataFrame, start: str, end: str) -> float:
    """How many of the calls are between two of their instants, on average over the window."""
    low, high = window_us(frames)
    since, until = (np.clip(calls[name].to_numpy(), low, high) for name in (start, end))
    return float((until - since).sum()) / (high - low)


def rate_per_s(frames: Frames, calls: pl.DataFrame) -> float:
    """How many of the calls were made per second of the window."""
    low, high = window_us(frames)
    made = calls["posted_us"].to_numpy()
    return float(((made >= low) & (made < high)).sum()) * US_PER_S / (high - low)


def littles_error_us(frames: Frames) -> float:
    """The integral of the calls in flight over time, less the sum of all sojourns."""
    sojourns = (frames.calls["finished_us"] - frames.calls["posted_us"]).to_numpy()
    return float(frames.call_us - int(sojourns.sum()))
