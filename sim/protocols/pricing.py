"""What an answer costs: a model's floor, or a job's base price, times the demand multiplier."""

from bisect import bisect_right
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from sim.parameters import Count, Parameters, Positive, PositiveUsd
from sim.protocols.validators import Percent
from sim.units import PPM

Times = Annotated[Decimal, Field(ge=Decimal("0.1"), le=1000, decimal_places=1)]


class Tier(Parameters):
    """From so many requests in the window on, floors are multiplied by ``times``."""

    requests: Count
    times: Times


TIERS = tuple(
    Tier(requests=requests, times=Decimal(times))
    for requests, times in ((0, "1.0"), (1000, "1.5"), (10_000, "2.5"), (100_000, "5.0"),
                            (1_000_000, "10.0"))
)  # fmt: skip


class Pricing(Parameters):
    """Signal price = floor x multiplier of the intent's rolling volume; floors are per call.

    Args:
        least_floor_usd: no floor may be lower.
        window_h: how far back answers are counted.
        tiers: the multipliers by volume, in rising order, the first from 0 requests on.
    """

    least_floor_usd: PositiveUsd = Decimal("0.01")
    window_h: Positive = Field(default=24.0, ge=0.001, le=1e6)
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)] = TIERS

    @model_validator(mode="after")
    def _rising(self) -> Self:
        steps = [tier.requests for tier in self.tiers]
        if steps[0] or any(later <= earlier for earlier, later in pairwise(steps)):
            msg = "tiers from 0 requests on, each from more requests than the one before"
            raise ValueError(msg)
        return self

    def multiplier_tenths(self, requests: int) -> int:
        """The multiplier after so many requests in the window, in tenths."""
        steps, tenths = self._table
        return tenths[bisect_right(steps, requests) - 1]

    @cached_property
    def _table(self) -> tuple[list[int], list[int]]:
        return [t.requests for t in self.tiers], [int(t.times * 10) for t in self.tiers]


class Jobs(Parameters):
    """Tasks that are bought as on-chain jobs: one price, whichever model answers.

    Args:
        share_percent: how many of all tasks, each by a hash of its own draw.
        base_price_usd: what a job costs, times the multiplier of its intent.
    """

    share_percent: Percent = 100.0
    base_price_usd: PositiveUsd = Decimal(1)

    @cached_property
    def share_ppm(self) -> int:
        """The share of tasks in millionths."""
        return round(self.share_percent * PPM / 100)
