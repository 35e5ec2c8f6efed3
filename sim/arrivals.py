"""Arrival processes: when an agent posts its tasks (Poisson, gamma, bursts; regular; patterns)."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, groupby
from operator import itemgetter
from typing import Annotated, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from sim.chance import BlockSizes, stream
from sim.parameters import NonNegative, Parameters, Positive, Share
from sim.units import HOURS_PER_WEEK, US_PER_HOUR

Floats = npt.NDArray[np.float64]
HOURS = np.arange(HOURS_PER_WEEK + 1, dtype=np.float64)


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

    def when(self, passed_h: Floats) -> Floats:
        """The times (h) at which so many operational hours have passed."""
        if self == Pattern():
            return passed_h
        weeks = np.floor(passed_h / HOURS_PER_WEEK) * HOURS_PER_WEEK
        times: Floats = weeks + np.interp(passed_h - weeks, self.cumulative(), HOURS)
        return times

    def passed(self, time_h: float) -> float:
        """The operational hours passed by a time: the inverse of `when`."""
        if self == Pattern():
            return time_h
        week = time_h // HOURS_PER_WEEK * HOURS_PER_WEEK
        return week + float(np.interp(time_h - week, HOURS, self.cumulative()))


class Poisson(Parameters):
    """Independent arrivals: exponential gaps."""

    kind: Literal["poisson"] = "poisson"
    per_hour: Positive
    pattern: Pattern = Pattern()


class Gamma(Parameters):
    """Renewal arrivals whose gaps are gamma distributed with coefficient of variation ``cv``."""

    kind: Literal["gamma"] = "gamma"
    per_hour: Positive
    cv: Annotated[Positive, Field(ge=1e-6)] = 1.0
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
Name = tuple[int, *tuple[int | str, ...]]
"""The seed, then what the stream is of: group, agent, ..."""


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
    clock_h = 0.0
    for block in gaps:
        times = np.array(list(accumulate(block.tolist(), initial=clock_h)))[1:]
        clock_h = float(times[-1])
        yield np.rint(law.pattern.when(times) * US_PER_HOUR).astype(np.int64).tolist()


def changing_times(
    laws: Sequence[tuple[int, Arrival]], name: Name
) -> Iterator[tuple[int, list[int]]]:
    """Blocks of posting times under laws that change, each with the number of its law.

    Poisson and gamma arrivals whose rate or pattern alone changes go on as they were, on a clock
    that runs as fast as the rate says: what was posted before the change is not touched. All else
    begins anew at the time of the change, from a stream of that name.

    Args:
        laws: each with the time (us) since when it holds; the first from 0, none alike in a row.
    """
    if len(laws) == 1:
        yield from ((0, times) for times in posting_times(laws[0][1], name))
        return
    starts = [start_us for start_us, _ in laws]
    first = 0
    while first < len(laws):
        last = first
        while last + 1 < len(laws) and _goes_on(laws[last][1], laws[last + 1][1]):
            last += 1
        until_us = starts[last + 1] if last + 1 < len(laws) else None
        whose = (*name, "from", starts[first]) if first else name
        for times in _stretched(laws[first : last + 1], whose):
            kept = times if until_us is None else [time for time in times if time < until_us]
            which = [bisect_right(starts, time) - 1 for time in kept]
            for number, run in groupby(zip(which, kept, strict=True), key=itemgetter(0)):
                yield number, [time for _, time in run]
            if len(kept) < len(times):
                break
        first = last + 1


def _goes_on(law: Arrival, after: Arrival) -> bool:
    """Whether two laws differ in nothing but rate and pattern."""
    if isinstance(law, Bursts) or isinstance(after, Bursts):
        return False
    return law == after.model_copy(update={"per_hour": law.per_hour, "pattern": law.pattern})


def _stretched(laws: Sequence[tuple[int, Arrival]], name: Name) -> Iterator[list[int]]:
    """Arrivals at the first law's rate, mapped through the inverse of all laws' cumulative rate."""
    base = laws[0][1]
    starts = np.array([start_us / US_PER_HOUR for start_us, _ in laws])
    ratios = np.array([law.per_hour / base.per_hour for _, law in laws])
    patterns = [law.pattern for _, law in laws]
    begun = np.array([p.passed(start) for p, start in zip(patterns, starts, strict=True)])
    marks = [0.0]
    for number, (ratio, end) in enumerate(zip(ratios[:-1], starts[1:], strict=True)):
        passed = patterns[number].passed(end) - begun[number]
        marks.append(marks[-1] + float(ratio * passed))
    clock_h = 0.0
    for block in BLOCKS[base.kind](base, name):
        passed = np.array(list(accumulate(block.tolist(), initial=clock_h)))[1:]
        clock_h = float(passed[-1])
        which = np.searchsorted(marks, passed, side="right") - 1
        own = begun[which] + (passed - np.array(marks)[which]) / ratios[which]
        times = own.copy()
        for number, pattern in enumerate(patterns):
            mine = which == number
            times[mine] = pattern.when(own[mine])
        yield np.rint(times * US_PER_HOUR).astype(np.int64).tolist()


BLOCKS: dict[str, Callable[..., Iterator[Floats]]] = {
    "poisson": _poisson,
    "gamma": _gamma,
    "bursts": _bursts,
    "regular": _regular,
}
