"""Costs: what an answer costs whoever serves it, as given, or from hardware and energy."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Literal

from pydantic import Field

from sim.mechanisms import PerCall, PerToken
from sim.parameters import Parameters, Positive, PositiveCount, Usd
from sim.units import TOKENS_PER_MTOK

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


Cost = Annotated[PerCall | PerToken | Hardware, Field(discriminator="kind")]


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


COSTS = {"per_call": PerCall, "per_token": PerToken, "hardware": Hardware}
