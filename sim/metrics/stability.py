"""Whether the pool carried its load, told from the record alone: stable, backlogged, overloaded."""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from sim.metrics.idle import lost_for_capacity
from sim.record.frames import Frames, largest
from sim.units import Int64Array

Verdict = Literal["stable", "backlogged", "overloaded"]
Floats = npt.NDArray[np.float64]

WINDOWS: Final = 20
SETTLING: Final = 5
LOST_MAX: Final = 0.01
GROWTH_MAX: Final = 0.01
Z_99: Final = 2.326347874040841
TURNED_AWAY: Final = ("no_capacity", "deadline")


@dataclass(frozen=True)
class Stability:
    """How a run carried its load.

    Args:
        verdict: ``overloaded`` if more than 1 % of the tasks were lost for want of capacity (no
            model had room, or the deadline passed while the call waited for a slot, or its bid lost
            where no slot was to spare (`lost_for_capacity`); not because its bid was below the
            reserve, or its agent's own tools took too long); else ``backlogged`` if the
            calls that wait grew in number while tasks arrived; else ``stable``.
        lost_share: tasks so lost / tasks posted.
        growth_share: calls that piled up / calls posted meanwhile, over the windows looked at.
        trend_z: Mann-Kendall's statistic of the waiting calls; standard normal without a trend.
    """

    verdict: Verdict
    lost_share: float
    growth_share: float
    trend_z: float


def stability(frames: Frames) -> Stability:
    """The verdict on a run.

    The time during which tasks were posted is cut into 20 windows; the first five, in which the
    market fills, are left out. Waiting calls grow if Mann and Kendall's test (Mann 1945; Kendall
    1975) finds a trend in the windows' mean number at the 99 % level, one-sided, and if more than
    1 % of the calls posted between the first and the last quarter of the windows piled up: a small
    trend that a longer run would settle is none.
    """
    tasks = frames.tasks
    lost = int(tasks["reason"].is_in(TURNED_AWAY).sum()) + lost_for_capacity(frames)
    lost_share = lost / len(tasks) if len(tasks) else 0.0
    trend_z, growth_share = _growth(frames)
    growing = trend_z > Z_99 and growth_share > GROWTH_MAX
    verdict: Verdict = (
        "overloaded" if lost_share > LOST_MAX else "backlogged" if growing else "stable"
    )
    return Stability(verdict, lost_share, growth_share, trend_z)


def _growth(frames: Frames) -> tuple[float, float]:
    posted = frames.calls["posted_us"].to_numpy()
    started = frames.calls["started_us"].to_numpy()
    end = largest(frames.tasks["posted_us"])
    if len(posted) < WINDOWS or end < WINDOWS:
        return 0.0, 0.0
    edges = np.linspace(0, end, WINDOWS + 1).astype(np.int64)[SETTLING:]
    waiting = np.diff(_waited_us(posted, started, edges)) / np.diff(edges)
    quarter = len(waiting) // 4
    piled_up = float(waiting[-quarter:].mean() - waiting[:quarter].mean())
    between = (edges[quarter // 2] <= posted) & (posted < edges[-1 - quarter // 2])
    return mann_kendall_z(waiting), piled_up / max(1, int(between.sum()))


def _waited_us(posted: Int64Array, started: Int64Array, times: Int64Array) -> Floats:
    """All waiting done by each of the times, in call-microseconds."""
    done = [np.maximum(0, np.minimum(started, time) - posted).sum() for time in times.tolist()]
    return np.array(done, np.float64)


def mann_kendall_z(series: Floats) -> float:
    """Mann and Kendall's trend statistic with its correction for ties; 0 if all are equal."""
    n = len(series)
    score = float(np.sign(series[None, :] - series[:, None])[np.triu_indices(n, 1)].sum())
    ties = np.unique(series, return_counts=True)[1]
    variance = (n * (n - 1) * (2 * n + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
    if variance <= 0 or not score:
        return 0.0
    return (score - math.copysign(1, score)) / math.sqrt(variance)
