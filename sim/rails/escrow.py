"""The rail of one job per call: the quote is locked, the answer delivered, the charge released."""

from typing import ClassVar, Final, Literal

from pydantic import Field

from sim.parameters import Positive
from sim.rails.gas import gas
from sim.rails.paid import Load, Paid, peak
from sim.rails.settling import Settling

LIFETIME_H: Final = 24.0
S_PER_HOUR: Final = 3_600


class EscrowJobRail(Settling):
    """Every call is a job in the shape of ERC-8183: opened, delivered, released.

    Args:
        size, interval_s, settle_on, fee_bps: as in every rail.
        lifetime_h: how long a job may stay undelivered or unreleased, in hours. Then anybody can
            end it, and its agent has the budget back.

    The jobs of a batch are opened when it closes: a call that ended without a charge has none.
    """

    kind: Literal["escrow-job"] = "escrow-job"
    lifetime_h: Positive = Field(default=LIFETIME_H, ge=0.01, le=1e6)

    per_call: ClassVar = True

    @property
    def lifetime_s(self) -> int:
        """The same in whole seconds, as on the chain."""
        return round(self.lifetime_h * S_PER_HOUR)

    def gas(self, load: Load, *, events: bool) -> int:
        """As `Settling.gas`: three transactions per call."""
        figures = gas().escrow_job
        return load.calls * (figures.open + figures.deliver + figures.release)

    def locked_micros(self, paid: Paid) -> int:
        """As `Settling.locked_micros`: the quotes of all calls between posting and settlement."""
        return peak(paid.posted_us, paid.closed_us, paid.quote_micros)

    def at_risk_micros(self, paid: Paid) -> int:
        """As `Settling.at_risk_micros`: nothing, for what is owed is in the escrow already."""
        return 0
