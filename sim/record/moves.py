"""Transfers that no call is behind, as they are recorded."""

from typing import NamedTuple

from sim.facts import Kind


class Move(NamedTuple):
    """One transfer: ``amount`` in the asset's own smallest unit (micro-USDC, wei)."""

    time_us: int
    kind: Kind
    asset: str
    source: str
    target: str
    amount: int
