"""What every rail has in common: when it settles, what it takes, and what it is asked."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from sim.parameters import Bps, Parameters, Positive
from sim.rails.closing import BatchCloser
from sim.rails.paid import Load, Paid
from sim.units import US_PER_S


class Settling(Parameters, ABC):
    """Calls are settled together when ``size`` have come in, or when a clock tick passes.

    Args:
        size: the most calls settled together. interval_s: the tick, in simulated seconds from the
            start.
        settle_on: whether a wrong answer is paid for (``delivered``) or not (``success``).
        fee_bps: the treasury's share of every charge, rounded down per call.

    A rail answers, in this order: when (`closer`), for how much gas (`gas`), with how much money
    tied up (`locked_micros`), and with how much of it owed and unsettled (`at_risk_micros`).
    """

    kind: str = ""
    size: int = Field(default=1000, ge=1, le=1000, strict=True)
    interval_s: Positive = 2.0
    settle_on: Literal["delivered", "success"] = "delivered"
    fee_bps: Bps = 200

    per_call: ClassVar[bool] = False
    """Whether each call takes a transaction of its own, or more."""

    def closer(self) -> BatchCloser:
        """The state of this rail within one run."""
        return BatchCloser(self.size, round(self.interval_s * US_PER_S))

    @abstractmethod
    def gas(self, load: Load, *, events: bool) -> int:
        """Modelled gas of the transactions that settle a batch of this load."""

    def locked_micros(self, paid: Paid) -> int:
        """The most money that was ever tied up in contracts: all that agents paid in beforehand."""
        return int(paid.budget_micros.sum())

    def at_risk_micros(self, paid: Paid) -> int:
        """The largest amount ever owed for answers and not settled: that of the dearest batch."""
        if not len(paid.batch):
            return 0
        starts = np.flatnonzero(np.diff(paid.batch, prepend=-1))
        return int(np.add.reduceat(paid.charge_micros, starts).max())
