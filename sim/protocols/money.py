"""MACHINA: how much each epoch makes, who gets it, and how models are paid in it."""

from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from sim.parameters import Count, NonNegative, Parameters, Positive, PositiveCount, PositiveUsd
from sim.protocols.validators import Machina, Percent
from sim.units import PPM

WEI_PER_MACHINA: Final = 10**18


class Emission(Parameters):
    """An epoch makes first * 2^-floor(t / halving), while the cap lasts.

    Args:
        first_machina: what epoch 0 makes. halving_epochs: after so many it is half as much.
        cap_machina: there is never more (the schedule alone would come to 21,038,400).
        validators_percent: to validators, in equal shares per round that earns its reward.
        authors_percent: to the authors of the intents' scripts, by the answers they judged. What
            is left goes to the treasury, with what rounding leaves and what was forfeited.
        epochs_before: how many epochs had ended before the run. What they made is the validators'
            stakes and the pool's MACHINA, and the rest is the treasury's.
    """

    first_machina: Machina = Decimal(7200)
    halving_epochs: PositiveCount = 1461
    cap_machina: Machina = Decimal(21_000_000)
    validators_percent: Percent = 60.0
    authors_percent: Percent = 20.0
    epochs_before: Count = Field(default=60, le=100_000)

    @model_validator(mode="after")
    def _no_more_than_all(self) -> Self:
        if self.validators_percent + self.authors_percent > 100:
            msg = "validators_percent and authors_percent of at most 100 together"
            raise ValueError(msg)
        return self

    def scheduled_wei(self, epoch: int) -> int:
        """What the schedule makes in an epoch, the cap aside."""
        return int(self.first_machina * WEI_PER_MACHINA) >> epoch // self.halving_epochs

    def due_wei(self, epoch: int, supply_wei: int) -> int:
        """What an epoch makes when there is so much already; nothing beyond the cap."""
        left = int(self.cap_machina * WEI_PER_MACHINA) - supply_wei
        return max(0, min(self.scheduled_wei(epoch), left))

    def supply_wei(self, epochs: int) -> int:
        """What the first so many epochs have made."""
        supply = 0
        for epoch in range(epochs):
            supply += self.due_wei(epoch, supply)
        return supply

    def parts_wei(self, amount_wei: int) -> tuple[int, int]:
        """What of an epoch's tokens is for validators, and for authors, each rounded down."""
        validators, authors = (
            round(percent * PPM / 100)
            for percent in (self.validators_percent, self.authors_percent)
        )
        return amount_wei * validators // PPM, amount_wei * authors // PPM


class Purchases(Parameters):
    """A model's earnings buy MACHINA for it in small drips, in one Uniswap v3 pool.

    Args:
        least_usd: a purchase begins when so much has gathered; less rolls over.
        over_h: how long it lasts. drip_usd: what is spent at a time. jitter_s: how far a drip may
            be from its place, either way.
        transaction_interval_s: drips that fall into one such interval are one swap at its end.
        pool_usd, pool_machina: what the pool's one full-range position starts with.
        pool_fee_ppm: the pool's fee in millionths.
    """

    least_usd: PositiveUsd = Decimal(100)
    over_h: Positive = Field(default=24.0, ge=0.001, le=1e5)
    drip_usd: PositiveUsd = Decimal("0.01")
    jitter_s: NonNegative = Field(default=30.0, le=1e6)
    transaction_interval_s: Positive = Field(default=3600.0, ge=1, le=1e7)
    pool_usd: PositiveUsd = Decimal(200_000)
    pool_machina: Annotated[Machina, Field(gt=0)] = Decimal(200_000)
    pool_fee_ppm: Annotated[int, Field(ge=0, lt=1_000_000, strict=True)] = 3000
