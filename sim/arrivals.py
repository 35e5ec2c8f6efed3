"""Arrival processes: when an agent posts its tasks (Poisson, gamma, bursts; regular; patterns)."""

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Annotated, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from sim.chance import BlockSizes, stream
from sim.parameters import NonNegative, Parameters, Positive, Share
from sim.units import HOURS_PER_WEEK, US_PER_HOUR

Floats = npt.NDArray[np.float64]


class Pattern(Parameters):
    """How the rate moves over the week; the factors are scaled so that their mean is 1.

    Args:
        daily: 24 factors, from 00:00. weekly: 7 factors, from the first day of the run.
    """

    daily: tuple[NonNegative, ...] = Field(default=(1.0,) * 24, min_length=24, max_length=24)
    weekly: tuple[NonNegative, ...] = Field(default=(1.0,) * 7, min_length=7, max_length=7)

    @model_validator(mode="after")
    def _some_rate(self) -> Self:
        if not any(self.daily) or not any(self.weekly):
            msg = "at least one factor above 0"
            raise ValueError(msg)
        return self

    def cumulative(self) -> Floats:
        """Operational hours passed at each of the 169 hour marks of a week, the last being 168."""
        factors = [day * hour for day in self.weekly for hour in self.daily]
        marks = list(accumulate(factors, initial=0.0))
        scale = HOURS_PER_WEEK / marks[-1]
        return np.array([mark * scale for mark in marks[:-1]] + [float(HOURS_PER_WEEK)])


class Poisson(Parameters):
    """Independent arrivals: exponential gaps."""

    kind: Literal["poisson"] = "poisson"
    per_hour: Positive
    pattern: Pattern = Pattern()


class Gamma(Parameters):
    """Renewal arrivals whose gaps are gamma distributed with coefficient of variation ``cv``."""

    kind: Literal["gamma"] = "gamma"
    per_hour: Positive
    cv: Positive = 1.0
    pattern: Pattern = Pattern()


class Bursts(Parameters):
    """Poisson arrivals during exponential on-periods, none during off-periods.

    ``per_hour`` is the mean over both; within a burst the rate is higher by (on + off) / on.
    """

    kind: Literal["bursts"] = "bursts"
    per_hour: Positive
    on_s: Positive
    off_s: NonNegative
    pattern: Pattern = Pattern()


class Regular(Parameters):
    """Arrivals at equal gaps, the first after ``phase`` of a gap: nothing is left to chance."""

    kind: Literal["regular"] = "regular"
    per_hour: Positive
    phase: Share = 1.0
    pattern: Pattern = Pattern()


Arrival = Annotated[Poisson | Gamma | Bursts | Regular, Field(discriminator="kind")]
Name = tuple[int, str, int]


def _poisson(law: Poisson, name: Name) -> Iterator[Floats]:
    random, sizes = stream(*name, "arrival"), BlockSizes()
    while True:
        yield random.standard_exponential(sizes.next()) / law.per_hour


def _gamma(law: Gamma, name: Name) -> Iterator[Floats]:
    random, sizes = stream(*name, "arrival"), BlockSizes()
    shape = 1 / (law.cv * law.cv)
    while True:
        yield random.standard_gamma(shape, sizes.next()) / (shape * law.per_hour)


def _bursts(law: Bursts, name: Name) -> Iterator[Floats]:
    random, sizes = stream(*name, "arrival"), BlockSizes()
    periods = stream(*name, "bursts")
    on_h, off_h = law.on_s / 3600, law.off_s / 3600
    per_on_hour = law.per_hour * (on_h + off_h) / on_h
    on_left = periods.standard_exponential() * on_h
    while True:
        gaps = random.standard_exponential(sizes.next()) / per_on_hour
        for index, gap in enumerate(gaps.tolist()):
            paused = 0.0
            rest = gap
            while rest > on_left:
                rest -= on_left
                paused += periods.standard_exponential() * off_h
                on_left = periods.standard_exponential() * on_h
            on_left -= rest
            gaps[index] = gap + paused
        yield gaps


def _regular(law: Regular, name: Name) -> Iterator[Floats]:
    del name
    sizes, gap = BlockSizes(), 1 / law.per_hour
    first = np.full(sizes.next(), gap)
    first[0] *= law.phase
    yield first
    while True:
        yield np.full(sizes.next(), gap)


def posting_times(law: Arrival, name: Name) -> Iterator[list[int]]:
    """Blocks of the times (us, never falling) at which the agent ``(seed, group, index)`` posts.

    A pattern is a change of time (Cinlar 1975, section 4.7): arrivals are drawn at the mean rate in
    operational hours, then mapped through the inverse of the pattern's cumulative rate.
    """
    gaps = BLOCKS[law.kind](law, name)
    marks = law.pattern.cumulative() if law.pattern != Pattern() else None
    clock_h = 0.0
    for block in gaps:
        times = np.array(list(accumulate(block.tolist(), initial=clock_h)))[1:]
        clock_h = float(times[-1])
        if marks is not None:
            weeks = np.floor(times / HOURS_PER_WEEK)
            hours = np.arange(HOURS_PER_WEEK + 1, dtype=np.float64)
            times = weeks * HOURS_PER_WEEK + np.interp(times - weeks * HOURS_PER_WEEK, marks, hours)
        yield np.rint(times * US_PER_HOUR).astype(np.int64).tolist()


BLOCKS: dict[str, Callable[..., Iterator[Floats]]] = {
    "poisson": _poisson,
    "gamma": _gamma,
    "bursts": _bursts,
    "regular": _regular,
}
