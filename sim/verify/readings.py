"""Readings: waits, losses, numbers waiting and batches' delays, read off a record."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from sim.record.frames import Frames
from sim.units import US_PER_S
from sim.verify.case import Controls, Found

Floats = npt.NDArray[np.float64]
WARM_UP = 0.1
"""The share of a run's first tasks that is left out: it starts empty, theory speaks of later."""


def settled(frames: Frames, warm_up: float = WARM_UP) -> pl.DataFrame:
    """The calls of all tasks but the first."""
    return frames.calls.filter(pl.col("task_id") >= round(warm_up * len(frames.tasks)))


class Service(NamedTuple):
    """Mean and variance of a service in seconds, and how many are served at once."""

    mean_s: float = 1.0
    variance: float = 1.0
    servers: int = 1


ONE = Service()


def chance(calls: pl.DataFrame, per_s: float, service: Service = ONE) -> Controls:
    """How much later than on average tasks came, longer answers took, and work came in bunches.

    All relative, of mean zero.

    Args:
        per_s: rate of Poisson arrivals, of which no task is left out.
    """
    return pace(calls, calls, per_s, service) | {"bunches": bunching(calls, per_s, service)}


def pace(
    tasks: pl.DataFrame, calls: pl.DataFrame, per_s: float, service: Service = ONE
) -> Controls:
    """How much later than on average tasks came, and how much longer answers took if that varies.

    Relative, of mean zero.

    Args:
        tasks: all of them, or the calls where no task is left out. per_s: rate of their arrivals.
    """
    found = {"gaps": float(gaps_s(tasks).mean()) * per_s - 1}
    if service.variance:
        served_s = between_s(calls, "started_us", "finished_us")
        found["services"] = float(served_s.mean()) / service.mean_s - 1
    return found


def bunching(calls: pl.DataFrame, per_s: float, service: Service = ONE) -> float:
    """The mean square of the work that is ahead of the servers after so many arrivals.

    Relative to its mean, k (Var[S] / c^2 + Var[A]) + k^2 (E[S] / c - E[A])^2, and less one. Bunches
    make queues, the more the longer a queue remembers: k is about as many arrivals as it does.
    """
    drift_s = service.mean_s / service.servers - 1 / per_s
    ahead_s, k = work_ahead_s(calls, service.servers, 2 / (drift_s * per_s) ** 2)
    square = k * (service.variance / service.servers**2 + 1 / per_s**2) + (k * drift_s) ** 2
    return float((ahead_s**2).mean()) / square - 1


def rushing(calls: pl.DataFrame, load: float, tilt: float = 0.5) -> float:
    """The mean of exp(t x work ahead), relative to what it is at M/M/1, less one.

    At the rate t = 1 - load that mean is one. Half of it tells most of what the longest waits are
    due to, a third what the mean is: more than bunches do.
    """
    rate = tilt * (1 - load)
    ahead_s, k = work_ahead_s(calls, 1, 4 / (1 - load) ** 2)
    mean = (load / (1 - rate) / (load + rate)) ** k
    return float(np.exp(rate * ahead_s).mean()) / mean - 1


def work_ahead_s(calls: pl.DataFrame, servers: int, arrivals: float) -> tuple[Floats, int]:
    """Seconds of service that come with so many arrivals, beyond what is served meanwhile.

    At every call, and of how many arrivals: at most a tenth of them all.
    """
    served_s = between_s(calls, "started_us", "finished_us")
    ahead = np.cumsum(served_s[:-1] / servers - gaps_s(calls))
    k = max(1, min(math.ceil(arrivals), len(ahead) // 10))
    return ahead[k:] - ahead[:-k], k


def gaps_s(posted: pl.DataFrame) -> Floats:
    """Seconds between tasks or calls, as they were posted."""
    gaps: Floats = np.diff(posted["posted_us"].to_numpy()) / US_PER_S
    return gaps


def between_s(calls: pl.DataFrame, start: str, end: str) -> Floats:
    """Seconds from one instant of each call to another, as from ``posted_us`` to ``started_us``."""
    passed: Floats = (calls[end] - calls[start]).to_numpy() / US_PER_S
    return passed


def mean_wait_s(calls: pl.DataFrame) -> float:
    """Mean seconds from posting to service."""
    return float(between_s(calls, "posted_us", "started_us").mean())


def lost_share(frames: Frames, per_s: float, service: Service = ONE) -> Found:
    """The share of tasks, after the warm-up, that found no room."""
    tasks = frames.tasks.filter(pl.col("task_id") >= round(WARM_UP * len(frames.tasks)))
    lost = float((tasks["reason"] == "no_capacity").to_numpy().mean())
    return Found([lost], pace(tasks, settled(frames), per_s, service))


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
