"""Validators: how a score comes out of what several judges, each with an error, observe."""

from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from sim.parameters import NonNegative, Parameters, PositiveCount
from sim.units import PPM, Int64Array


class Median(Parameters):
    """The stake-weighted median of what each validator observes (Telegraph).

    Args:
        count: how many observe each call.
        noise: standard deviation of one's error, on scores from 0 to 1.
        stakes: one per validator; equal when left out.
        window: a model's score per intent is the mean of its last ``window`` verdicts.
    """

    kind: Literal["median"] = "median"
    count: PositiveCount = Field(default=7, le=1000)
    noise: NonNegative = 0.05
    stakes: tuple[PositiveCount, ...] | None = None
    window: PositiveCount = Field(default=200, le=100_000)

    @model_validator(mode="after")
    def _one_stake_each(self) -> Self:
        if self.stakes is not None and len(self.stakes) != self.count:
            msg = f"one stake per validator: {self.count}"
            raise ValueError(msg)
        return self

    def errors_ppm(self, random: np.random.Generator, tasks: int) -> Int64Array:
        """The stake-weighted median of the validators' errors, for each of ``tasks`` tasks.

        An observation is the truth plus an error, clipped to [0, 1]: rising in the error, so the
        median of the observations is the observation of the median error, and is drawn here once.
        """
        errors = np.rint(random.standard_normal((tasks, self.count)) * (self.noise * PPM))
        stakes = np.array(self.stakes or (1,) * self.count, dtype=np.int64)
        return weighted_medians(errors.astype(np.int64), stakes)


def weighted_medians(values: Int64Array, stakes: Int64Array) -> Int64Array:
    """Lower weighted median of each row: the least value at which half of the stake is reached.

    Args:
        values: (rows, validators). stakes: (validators,), positive.
    """
    order = np.argsort(values, axis=1, kind="stable")
    reached = 2 * np.cumsum(stakes[order], axis=1) >= stakes.sum()
    middle = order[np.arange(len(values)), reached.argmax(axis=1)]
    medians: Int64Array = values[np.arange(len(values)), middle]
    return medians


def verdict_ppm(right: bool, judgement_ppm: int) -> int:
    """The score of a call: 1 for a right answer, 0 for a wrong one, plus the judges' error."""
    score = PPM + judgement_ppm if right else judgement_ppm
    return 0 if score < 0 else min(score, PPM)


Validators = Median
VALIDATORS = {"median": Median}
