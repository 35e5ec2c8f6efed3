"""How several judges, each with an error, agree on a verdict.

An observation is the truth plus the observer's error; what is agreed is clipped to [0, 1], and only
then. Every rule here moves with its observations (add a constant to all, and the agreed value rises
by it), so that what is agreed is the truth plus the error that the rule makes of the errors alone:
it is drawn once per task, whatever the models answer.
"""

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from sim.parameters import NonNegative, OpenShare, Parameters, PositiveCount
from sim.units import PPM, Int64Array
from sim.validators.scoring import ScoreRule, Window


class _Judges(Parameters, ABC):
    """What the rules share.

    Args:
        count: how many observe each call.
        noise: standard deviation of one's error, on scores from 0 to 1.
        stakes: one per validator; equal when left out.
        score: how a model's score follows from its verdicts.
    """

    count: PositiveCount = Field(default=7, le=1000)
    noise: NonNegative = 0.05
    stakes: tuple[PositiveCount, ...] | None = None
    score: ScoreRule = Window()

    @model_validator(mode="after")
    def _one_stake_each(self) -> Self:
        if self.stakes is not None and len(self.stakes) != self.count:
            msg = f"one stake per validator: {self.count}"
            raise ValueError(msg)
        return self

    def errors_ppm(self, random: np.random.Generator, tasks: int) -> Int64Array:
        """The agreed error, in ppm, for each of ``tasks`` tasks."""
        errors = np.rint(random.standard_normal((tasks, self.count)) * (self.noise * PPM))
        stakes = np.array(self.stakes or (1,) * self.count, dtype=np.int64)
        return self.agreed(errors.astype(np.int64), stakes)

    @abstractmethod
    def agreed(self, values: Int64Array, stakes: Int64Array) -> Int64Array:
        """What is agreed on in each row of observations.

        Args:
            values: (rows, validators). stakes: (validators,), positive.
        """


class Median(_Judges):
    """The stake-weighted median of what each validator observes (Telegraph).

    Validators with less than half of the stake cannot move it beyond what the others say.
    """

    kind: Literal["median"] = "median"

    def agreed(self, values: Int64Array, stakes: Int64Array) -> Int64Array:
        """The lower weighted median of each row."""
        return weighted_medians(values, stakes)


class Mean(_Judges):
    """The mean of what each validator observes, by stake where there are stakes.

    Any validator can move it as far as it likes to lie.
    """

    kind: Literal["mean"] = "mean"

    def agreed(self, values: Int64Array, stakes: Int64Array) -> Int64Array:
        """The weighted mean of each row, to the nearest."""
        return weighted_means(values, stakes)


class Yuma(_Judges):
    """Bittensor's consensus: what exceeds the most that ``kappa`` of the stake supports is cut.

    Consensus is the greatest value that validators with ``kappa`` of the stake reach or exceed;
    the verdict is the mean by stake of min(observation, consensus). Praise by a minority is worth
    nothing, blame by a minority still counts.
    """

    kind: Literal["yuma"] = "yuma"
    kappa: OpenShare = 0.5

    def agreed(self, values: Int64Array, stakes: Int64Array) -> Int64Array:
        """The weighted mean of each row, cut at the row's consensus."""
        consensus = -weighted_quantiles(-values, stakes, self.kappa)
        return weighted_means(np.minimum(values, consensus[:, None]), stakes)


def weighted_quantiles(values: Int64Array, stakes: Int64Array, share: float) -> Int64Array:
    """Of each row the least value such that those at or below it have ``share`` of the stake."""
    needed = -(-int(stakes.sum()) * Fraction(repr(share)) // 1)
    order = np.argsort(values, axis=1, kind="stable")
    reached = np.cumsum(stakes[order], axis=1) >= needed
    place = order[np.arange(len(values)), reached.argmax(axis=1)]
    found: Int64Array = values[np.arange(len(values)), place]
    return found


def weighted_medians(values: Int64Array, stakes: Int64Array) -> Int64Array:
    """Lower weighted median of each row: the least value at which half of the stake is reached."""
    return weighted_quantiles(values, stakes, 0.5)


def weighted_means(values: Int64Array, stakes: Int64Array) -> Int64Array:
    """Weighted mean of each row, to the nearest (half to even)."""
    sums = (values.astype(np.float64) * (stakes / stakes.sum())).sum(axis=1)
    means: Int64Array = np.rint(sums).astype(np.int64)
    return means


def verdict_ppm(right: bool, judgement_ppm: int) -> int:
    """The score of a call: 1 for a right answer, 0 for a wrong one, plus the judges' error."""
    score = PPM + judgement_ppm if right else judgement_ppm
    return 0 if score < 0 else min(score, PPM)
