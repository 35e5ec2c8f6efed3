"""Prices as a model lists them, and the same in integers."""

from typing import Annotated, Literal

from pydantic import Field

from sim.parameters import Parameters, Usd
from sim.units import micros_ceil, micros_from_usd_exact, micros_nearest


class PerCall(Parameters):
    """One price for every answer, whatever its length."""

    kind: Literal["per_call"]
    usd_per_call: Usd


class PerToken(Parameters):
    """Prices per million tokens; ``cached_usd_per_mtok`` is the price of a cached input token."""

    kind: Literal["per_token"]
    input_usd_per_mtok: Usd
    cached_usd_per_mtok: Usd | None = None
    output_usd_per_mtok: Usd


Price = Annotated[PerCall | PerToken, Field(discriminator="kind")]


class Tariff:
    """A price in integers: micros per call, and micros per million tokens of each sort."""

    __slots__ = ("cached", "input", "output", "per_call")

    def __init__(self, price: PerCall | PerToken) -> None:
        self.per_call = self.input = self.cached = self.output = 0
        if isinstance(price, PerCall):
            self.per_call = micros_from_usd_exact(price.usd_per_call)
            return
        self.input = micros_from_usd_exact(price.input_usd_per_mtok)
        self.output = micros_from_usd_exact(price.output_usd_per_mtok)
        cached = price.cached_usd_per_mtok
        self.cached = self.input if cached is None else micros_from_usd_exact(cached)

    @property
    def parts(self) -> tuple[int, int, int, int]:
        """Micros per call, then per million input, cached and output tokens."""
        return self.per_call, self.input, self.cached, self.output

    def scaled_nearest(self, factor: float) -> "Tariff":
        """Every price times a factor, to the nearest micro."""
        made = object.__new__(Tariff)
        for part in Tariff.__slots__:
            setattr(made, part, micros_nearest(getattr(self, part), factor))
        return made

    def charge_ceil(self, fresh_tokens: int, cached_tokens: int, output_tokens: int) -> int:
        """What an answer costs in micros: the sum over its tokens, rounded up once."""
        return self.per_call + micros_ceil(
            fresh_tokens * self.input + cached_tokens * self.cached + output_tokens * self.output
        )
