"""Rails, or how charges become money on chain.

A rail is a frozen class that says when calls are settled, what that costs in gas, how much money it
ties up and how much it leaves owed (`Settling`); to add one, write such a class, name it in
``Rail`` and in ``RAILS``, and give it its transactions in `sim.chain`.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, TypeAdapter

from sim.rails.channels import ChannelBook, ChannelRail, Move, Pair, due
from sim.rails.closing import BatchCloser, Closed
from sim.rails.deposits import BatchRail, EpochRootRail, OnDeposit, PrepaidRail, timelock_s
from sim.rails.escrow import EscrowJobRail
from sim.rails.gas import PortGas, port_gas
from sim.rails.paid import Load, Paid, loads_of, peak
from sim.rails.payments import TransferRail, X402ExactRail
from sim.rails.settling import Settling

__all__ = [
    "ACCOUNT_RAILS", "RAILS", "BatchCloser", "BatchRail", "ChannelBook", "ChannelRail", "Closed",
    "EpochRootRail", "EscrowJobRail", "Load", "Move", "OnDeposit", "Paid", "Pair", "PortGas",
    "PrepaidRail", "Rail", "Settling", "TransferRail", "X402ExactRail", "due", "loads_of", "peak",
    "port_gas", "rail_like", "timelock_s",
]  # fmt: skip


def _batch_unless_named(value: object) -> object:
    """Parameters that name no kind are the batch rail's, as they were when it was the only one."""
    if isinstance(value, Mapping) and "kind" not in value:
        return {"kind": "batch", **value}
    return value


Rail = Annotated[
    TransferRail
    | X402ExactRail
    | EscrowJobRail
    | PrepaidRail
    | BatchRail
    | ChannelRail
    | EpochRootRail,
    Field(discriminator="kind"),
    BeforeValidator(_batch_unless_named),
]
RAILS: dict[str, type[Settling]] = {
    "transfer": TransferRail,
    "x402-exact": X402ExactRail,
    "escrow-job": EscrowJobRail,
    "prepaid": PrepaidRail,
    "batch": BatchRail,
    "channel": ChannelRail,
    "epoch-root": EpochRootRail,
}
"""From one transaction per call to one per epoch."""
ACCOUNT_RAILS = tuple(kind for kind, rail in RAILS.items() if issubclass(rail, OnDeposit))
"""Rails on money paid into accounts beforehand."""


def rail_like(rail: Settling, kind: str) -> Rail:
    """The rail of another kind that takes the same fee for the same answers."""
    if kind == rail.kind:
        same: Rail = TypeAdapter[Rail](Rail).validate_python(rail.model_dump())
        return same
    terms = {"kind": kind, "settle_on": rail.settle_on, "fee_bps": rail.fee_bps}
    other: Rail = TypeAdapter[Rail](Rail).validate_python(terms)
    return other
