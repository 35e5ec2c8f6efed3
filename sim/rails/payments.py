"""Rails of one payment per call, made to a hub that splits charge and fee."""

from typing import ClassVar, Literal

from sim.rails.gas import gas
from sim.rails.paid import Load, Paid
from sim.rails.settling import Settling


class TransferRail(Settling):
    """Every call is paid by a plain token transfer, which says nothing of what was bought."""

    kind: Literal["transfer"] = "transfer"

    per_call: ClassVar = True

    def gas(self, load: Load, *, events: bool) -> int:
        """As `Settling.gas`: a transfer per payment, and the hub's split."""
        figures = gas().transfer
        return load.payments * figures.per_call + figures.split(load.calls, load.models)

    def locked_micros(self, paid: Paid) -> int:
        """As `Settling.locked_micros`: nothing, for money stays in wallets until it is due."""
        return 0


class X402ExactRail(Settling):
    """Every call is paid by x402's `exact` scheme: a signed authorization that the router submits.

    The authorization's nonce is keccak256(call id, answer hash), so that each payment names its
    call, and no two calls share a nonce, however alike their answers.
    """

    kind: Literal["x402-exact"] = "x402-exact"

    per_call: ClassVar = True

    def gas(self, load: Load, *, events: bool) -> int:
        """As `Settling.gas`: an authorization per payment, and the hub's split."""
        figures = gas().x402_exact
        return load.payments * figures.per_call + figures.split(load.calls, load.models)

    def locked_micros(self, paid: Paid) -> int:
        """As `Settling.locked_micros`: nothing, for money stays in wallets until it is due."""
        return 0
