"""Warm-up: how much of a run's start to leave out (MSER-5)."""

import numpy as np
import numpy.typing as npt
import polars as pl

from sim.record.frames import Frames

BATCH = 5
UNANSWERED = bytes(32)


def mser5(series: npt.ArrayLike) -> int | None:
    """How many observations MSER-5 leaves out; None if the series is too short to tell.

    Marginal standard error rule over means of 5 (White 1997, "An effective truncation heuristic for
    bias reduction in simulation output"; White, Cobb, Spratt 2000): the d that makes
    sum over j > d of (Y_j - mean)^2 / (n - d)^2 smallest, d at most n / 2. A smallest one at that
    bound says that the transient is not over.
    """
    values = np.asarray(series, np.float64)
    n = len(values) // BATCH
    if n < 2:
        return None
    means = values[: n * BATCH].reshape(n, BATCH).mean(axis=1)
    means -= means.mean()
    count = np.arange(n, 0, -1, dtype=np.float64)
    sums, squares = (np.cumsum(part[::-1])[::-1] for part in (means, means * means))
    spread = np.maximum(0.0, squares - sums * sums / count) / count**2
    cut = int(np.argmin(spread[: n // 2 + 1]))
    return None if cut == n // 2 else cut * BATCH


def warm_up_us(frames: Frames) -> int | None:
    """The warm-up of a run by MSER-5 on the latency of its answered calls, in order of posting."""
    answered = frames.calls.filter(pl.col("answer_hash") != UNANSWERED).sort("posted_us", "call_id")
    posted = answered["posted_us"]
    cut = mser5((answered["finished_us"] - posted).to_numpy())
    if cut is None:
        return None
    return int(posted[cut]) if cut else 0
