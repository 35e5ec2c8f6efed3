"""Costs: what an answer costs whoever serves it: as given, from hardware and energy, or drawn."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.chance import below, key, mix
from sim.facts import Task
from sim.mechanisms import PerCall, PerToken, Tariff
from sim.parameters import Parameters, Positive, PositiveCount, PositiveUsd, Usd
from sim.units import TOKENS_PER_MTOK, micros_from_usd_exact

MICRO = Decimal("0.000001")
SECONDS_PER_HOUR = 3_600


class Hardware(Parameters):
    """Accelerators by the hour and their energy, shared among the tokens they make.

    A node of ``accelerators`` costs accelerators x (hour_usd + power_kw x energy_usd_per_kwh) an
    hour. It reads ``prefill_tokens_per_s`` and writes ``decode_tokens_per_s`` in all when busy, as
    a dense model; a mixture of experts that has ``active_share`` of its parameters at work on a
    token does so in that share of the time. A cached prompt token costs ``cached_share`` of a fresh
    one: what prefix caching leaves to be done.
    """

    kind: Literal["hardware"]
    accelerators: PositiveCount = Field(default=8, le=1_000_000)
    hour_usd: Usd
    power_kw: Annotated[Decimal, Field(ge=0, le=1000)] = Decimal(0)
    energy_usd_per_kwh: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(0)
    prefill_tokens_per_s: Positive = Field(ge=1, le=1e12)
    decode_tokens_per_s: Positive = Field(ge=1, le=1e12)
    active_share: Annotated[Decimal, Field(gt=0, le=1)] = Decimal(1)
    cached_share: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.1")


class UniformCost(Parameters):
    """A cost per task, drawn uniformly between two amounts: whole micros, each as likely.

    Drawn from the task's draw and the model's name: known to the model when it asks, not to others.
    """

    kind: Literal["uniform"]
    low_usd: Usd = Decimal(0)
    high_usd: PositiveUsd

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.high_usd <= self.low_usd:
            msg = "high_usd above low_usd"
            raise ValueError(msg)
        return self


Cost = Annotated[PerCall | PerToken | Hardware | UniformCost, Field(discriminator="kind")]


def rates(cost: PerCall | PerToken | Hardware) -> PerCall | PerToken:
    """A cost in the terms of a price; dollars per million tokens to the nearest micro.

    usd per million tokens = node's dollars an hour / 3600 / tokens per second x active share x 10^6
    """
    if not isinstance(cost, Hardware):
        return cost
    hourly = cost.accelerators * (cost.hour_usd + cost.power_kw * cost.energy_usd_per_kwh)
    per_second = hourly * cost.active_share / SECONDS_PER_HOUR
    entry, output = (
        per_second / Decimal(str(speed)) * TOKENS_PER_MTOK
        for speed in (cost.prefill_tokens_per_s, cost.decode_tokens_per_s)
    )
    return PerToken(
        kind="per_token",
        input_usd_per_mtok=_micros_nearest(entry),
        cached_usd_per_mtok=_micros_nearest(entry * cost.cached_share),
        output_usd_per_mtok=_micros_nearest(output),
    )


def _micros_nearest(usd: Decimal) -> Decimal:
    return usd.quantize(MICRO, ROUND_HALF_EVEN)


class Metered:
    """Costs that go by the answer's tokens."""

    def __init__(self, tariff: Tariff) -> None:
        self.tariff = tariff

    def micros(self, task: Task, cached_tokens: int, output_tokens: int) -> int:
        """What an answer costs, rounded up once."""
        fresh = task.input_tokens - cached_tokens
        return self.tariff.charge_ceil(fresh, cached_tokens, output_tokens)

    def mean_micros(self, task: Task, cached_tokens: int, output_tokens: int) -> int:
        """What an answer of this size costs on average."""
        return self.micros(task, cached_tokens, output_tokens)


class Drawn:
    """Costs that are drawn per task."""

    def __init__(self, law: UniformCost, model_id: str) -> None:
        self.low, self.high = map(micros_from_usd_exact, (law.low_usd, law.high_usd))
        self.key = key(f"model/{model_id}/cost")

    def micros(self, task: Task, cached_tokens: int, output_tokens: int) -> int:
        """What the task costs, whatever the answer."""
        del cached_tokens, output_tokens
        return self.low + below(mix(task.draw, self.key, 0), self.high - self.low + 1)

    def mean_micros(self, task: Task, cached_tokens: int, output_tokens: int) -> int:
        """What a task costs on average, rounded down."""
        del task, cached_tokens, output_tokens
        return (self.low + self.high) // 2


def costs_of(cost: Cost | None, model_id: str) -> Metered | Drawn | None:
    """What answers cost a model; None where that is nothing."""
    if isinstance(cost, UniformCost):
        return Drawn(cost, model_id)
    return None if cost is None else Metered(Tariff(rates(cost)))


COSTS = {
    "per_call": PerCall,
    "per_token": PerToken,
    "hardware": Hardware,
    "uniform": UniformCost,
}
