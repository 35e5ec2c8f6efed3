"""Values: what a right answer is worth to its agent, task by task."""

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.chance import stream
from sim.parameters import NonNegative, Parameters
from sim.units import micros_nearest

Name = tuple[int, *tuple[int | str, ...]]
Draw = Callable[[int], Iterable[int]]


class Fixed(Parameters):
    """Every task is worth its group's ``value_usd``."""

    kind: Literal["fixed"] = "fixed"

    @property
    def mean(self) -> float:
        """The mean value over ``value_usd``."""
        return 1.0

    def source(self, value_micros: int, name: Name) -> Draw:
        """The next n values of an agent, in micros."""
        del name
        return lambda _: repeat(value_micros)

    def limits(self, limit_micros: int, values: Iterable[int]) -> Iterable[int]:
        """The most that each task's call may cost: the group's maximum price."""
        del values
        return repeat(limit_micros)


class Uniform(Parameters):
    """A task is worth its group's ``value_usd`` times a uniform draw between two factors.

    Whole micros, each equally likely; drawn for each task from a stream of its agent's own. Nobody
    pays more for a call than its task is worth.
    """

    kind: Literal["uniform"] = "uniform"
    low: NonNegative = Field(default=0.0, le=10)
    high: NonNegative = Field(default=1.0, le=10)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.high <= self.low:
            msg = "high above low"
            raise ValueError(msg)
        return self

    @property
    def mean(self) -> float:
        """The mean value over ``value_usd``."""
        return (self.low + self.high) / 2

    def source(self, value_micros: int, name: Name) -> Draw:
        """The next n values of an agent, in micros."""
        random = stream(*name, "value")
        low, high = (micros_nearest(value_micros, each) for each in (self.low, self.high))
        return lambda n: random.integers(low, high, size=n, endpoint=True).tolist()

    def limits(self, limit_micros: int, values: Iterable[int]) -> Iterable[int]:
        """The most that each task's call may cost: the maximum price, or what the task is worth."""
        return [min(limit_micros, value) for value in values]


Values = Annotated[Fixed | Uniform, Field(discriminator="kind")]
VALUES = {"fixed": Fixed, "uniform": Uniform}
