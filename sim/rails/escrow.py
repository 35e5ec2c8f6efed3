"""The rail of one job per call: the quote is locked, the answer delivered, the charge released."""

from typing import ClassVar, Literal

from sim.rails.gas import gas
from sim.rails.paid import Load, Paid, peak
from sim.rails.settling import Settling


class EscrowJobRail(Settling):
    """Every call is a job in the shape of ERC-8183: opened, delivered, released.

    Args:
        size, interval_s, settle_on, fee_bps: as in every rail.

    The jobs of a batch are opened when it closes: a call that ended without a charge has none.
    """

    kind: Literal["escrow-job"] = "escrow-job"

    per_call: ClassVar = True

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
