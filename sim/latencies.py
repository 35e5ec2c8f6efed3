"""Latency laws: how an answer's time varies around what its length asks for, and breakdowns."""

import math
from typing import Annotated, Literal

from pydantic import Field

from sim.chance import key, mix, uniform
from sim.parameters import Parameters, Positive, PositiveCount
from sim.units import US_PER_S

STAGE, GAP, REPAIR = key("latency/stage"), key("latency/gap"), key("latency/repair")


def exponential(bits: int) -> float:
    """64 uniform bits as an exponential variate of mean 1, by inversion."""
    return -math.log(uniform(bits))


class Lognormal(Parameters):
    """exp(``latency.sigma`` z), z the task's own: a task that is slow at one model is so at all."""

    kind: Literal["lognormal"] = "lognormal"


class Deterministic(Parameters):
    """Always just what its length asks for."""

    kind: Literal["deterministic"] = "deterministic"

    def factor(self, bits: int) -> float:
        """Always 1."""
        return 1.0


class Exponential(Parameters):
    """Memoryless, of mean 1: what classic queueing theory takes service to be."""

    kind: Literal["exponential"] = "exponential"

    def factor(self, bits: int) -> float:
        """An exponential variate."""
        return exponential(bits)


class Uniform(Parameters):
    """Uniform between 1 - ``half_width`` and 1 + ``half_width``."""

    kind: Literal["uniform"] = "uniform"
    half_width: Annotated[float, Field(ge=0, le=1)] = 1.0

    def factor(self, bits: int) -> float:
        """A uniform variate."""
        return 1 + self.half_width * (2 * uniform(bits) - 1)


class Erlang(Parameters):
    """The mean of ``stages`` exponential variates of mean 1: the more stages, the steadier."""

    kind: Literal["erlang"] = "erlang"
    stages: PositiveCount = Field(default=4, le=100)

    def factor(self, bits: int) -> float:
        """A gamma variate of whole shape, as a sum."""
        variates = [exponential(mix(bits, STAGE, stage)) for stage in range(self.stages)]
        return sum(variates) / self.stages


class Hyperexponential(Parameters):
    """Exponential of one of two means, balanced: short as a rule and long at times.

    ``cv`` is the coefficient of variation. With p = (1 + sqrt((cv^2 - 1) / (cv^2 + 1))) / 2 the
    mean is 1 / 2p, else 1 / 2(1 - p) (Whitt 1982, "Approximating a point process").
    """

    kind: Literal["hyperexponential"] = "hyperexponential"
    cv: Annotated[float, Field(ge=1, le=100)] = 2.0

    def factor(self, bits: int) -> float:
        """An exponential variate of the mean that is drawn."""
        square = self.cv * self.cv
        often = (1 + math.sqrt((square - 1) / (square + 1))) / 2
        share = often if uniform(mix(bits, STAGE, 0)) < often else 1 - often
        return exponential(bits) / (2 * share)


Law = Annotated[
    Lognormal | Deterministic | Exponential | Uniform | Erlang | Hyperexponential,
    Field(discriminator="kind"),
]
LATENCIES = {
    "lognormal": Lognormal,
    "deterministic": Deterministic,
    "exponential": Exponential,
    "uniform": Uniform,
    "erlang": Erlang,
    "hyperexponential": Hyperexponential,
}


class Breakdowns(Parameters):
    """A slot that serves breaks down, is repaired, and goes on where it stopped; times exponential.

    Args:
        mean_busy_s: mean time served between breakdowns; none when left out. mean_repair_s: of one.
    """

    mean_busy_s: Positive | None = Field(default=None, ge=1e-3, le=1e9)
    mean_repair_s: Positive = Field(default=60.0, ge=1e-6, le=1e9)

    def repairs_us(self, time_us: float, bits: int) -> float:
        """Time under repair within a service of ``time_us``, from the 64 uniform ``bits``."""
        if self.mean_busy_s is None:
            return 0.0
        left_s, down_s, count = time_us / US_PER_S, 0.0, 0
        while (left_s := left_s - self.mean_busy_s * exponential(mix(bits, GAP, count))) > 0:
            down_s += self.mean_repair_s * exponential(mix(bits, REPAIR, count))
            count += 1
        return down_s * US_PER_S


class Pace:
    """The time of an answer where it takes more than the task's own lognormal noise.

    Its chance is a hash of the task's draw, the model's name and the attempt, so that models are
    slow independently of each other, and a retry is a new chance.
    """

    def __init__(self, model_id: str, law: Law, breakdowns: Breakdowns) -> None:
        self.factor = None if isinstance(law, Lognormal) else law.factor
        self.breakdowns = breakdowns
        self.key = key(f"model/{model_id}/latency")

    def time_us(self, time_us: float, draw: int, attempt: int) -> float:
        """The time that a service takes which should take ``time_us``."""
        bits = mix(draw, self.key, attempt)
        if self.factor is not None:
            time_us *= self.factor(bits)
        return time_us + self.breakdowns.repairs_us(time_us, bits)
