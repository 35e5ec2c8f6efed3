"""Means with intervals: of replications, and of differences between designs that share chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LEVEL: Final = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean, its confidence interval's half width (None below two values), of ``reps`` values."""

    mean: float
    half_width: float | None
    reps: int
    level: float = LEVEL

    @property
    def low(self) -> float | None:
        """Lower end."""
        return None if self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        """Upper end."""
        return None if self.half_width is None else self.mean + self.half_width

    @property
    def relative(self) -> float | None:
        """Half width / |mean|; None if either is not there."""
        if self.half_width is None or not self.mean:
            return 0.0 if self.half_width == 0 else None
        return self.half_width / abs(self.mean)


def t_quantile(probability: float, freedom: int) -> float:
    """Student's t: the value that is not exceeded with this probability."""
    from scipy.special import stdtrit  # loaded late: half a second

    return float(stdtrit(freedom, probability))


def interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """The mean of independent values, half width t(1 - a/2, n - 1) s / sqrt(n).

    Raises `ValueError` if there are none.
    """
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return Interval(mean, None, n, level)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half = t_quantile((1 + level) / 2, n - 1) * deviation / math.sqrt(n)
    return Interval(mean, half, n, level)


def difference(base: Sequence[float], other: Sequence[float], level: float = LEVEL) -> Interval:
    """The mean of other - base, pair by pair; exactly 0 +- 0 if the pairs are equal."""
    return interval([b - a for a, b in zip(base, other, strict=True)], level)


def relative_difference(
    base: Sequence[float], other: Sequence[float], level: float = LEVEL
) -> Interval | None:
    """mean(other) / mean(base) - 1 for paired values; None if the base's mean is zero.

    The ratio estimator with its linearised variance (Cochran 1977, "Sampling techniques", 6.4):
    that of other - R base over mean(base)^2. The sign is that of other - base.
    """
    n = len(base)
    mean = math.fsum(base) / n
    if not mean:
        return None
    ratio = math.fsum(other) / math.fsum(base)
    rest = interval([(b - ratio * a) / abs(mean) for a, b in zip(base, other, strict=True)], level)
    shift = (math.fsum(other) / n - mean) / abs(mean)
    return Interval(shift, rest.half_width, n, level)
