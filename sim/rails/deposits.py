"""Rails on money paid in beforehand: charged call by call, in packed batches, or once per epoch."""

from typing import ClassVar, Literal

from pydantic import Field

from sim.parameters import Positive
from sim.rails.gas import gas
from sim.rails.paid import Load
from sim.rails.settling import Settling

S_PER_HOUR = 3_600


class OnDeposit(Settling):
    """Money is paid into accounts beforehand.

    Args:
        timelock_h: how long who asks for money back has to wait for it, in hours.
    """

    timelock_h: Positive = Field(default=4.0, ge=0.001, le=1e6)


def timelock_s(rail: Settling) -> int:
    """How long a withdrawal takes, in whole seconds, as on the chain; 0 where none is needed."""
    return round(rail.timelock_h * S_PER_HOUR) if isinstance(rail, OnDeposit) else 0


class PrepaidRail(OnDeposit):
    """Every call is deducted from its agent's account in a transaction of its own."""

    kind: Literal["prepaid"] = "prepaid"

    per_call: ClassVar = True

    def gas(self, load: Load, *, events: bool) -> int:
        """As `Settling.gas`: a deduction per call."""
        figures = gas().prepaid
        return load.calls * (figures.per_call + (figures.per_call_event if events else 0))


class BatchRail(OnDeposit):
    """Calls are settled together when ``size`` have come in, or when a clock tick passes.

    Args:
        size: the most calls in a batch. interval_s: the tick, in simulated seconds from the start.
        settle_on: whether a wrong answer is paid for (``delivered``) or not (``success``).
        fee_bps: the treasury's share of every charge, rounded down per call.
    """

    kind: Literal["batch"] = "batch"
    interval_s: Positive = 60.0

    def gas(self, load: Load, *, events: bool) -> int:
        """As `Settling.gas`: one transaction for the whole batch."""
        figures = gas().batch
        per_call = figures.per_call + (figures.per_call_event if events else 0)
        return (
            figures.base
            + load.calls * per_call
            + load.agents * figures.per_agent
            + load.models * figures.per_model
        )


class EpochRootRail(OnDeposit):
    """Once per epoch: what everybody paid and earned in all, and one root over the calls.

    Args:
        size: the most calls in an epoch. interval_s: its length, in simulated seconds.
        settle_on, fee_bps: as in every rail.

    The calls themselves stay with the router; whoever asks for one is shown it with its proof.
    """

    kind: Literal["epoch-root"] = "epoch-root"
    size: int = Field(default=100_000, ge=1, le=1_000_000, strict=True)
    interval_s: Positive = 3600.0

    def gas(self, load: Load, *, events: bool) -> int:
        """As `Settling.gas`: one transaction with a sum per agent and per model."""
        figures = gas().epoch_root
        return figures.base + load.agents * figures.per_agent + load.models * figures.per_model
