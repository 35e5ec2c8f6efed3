"""The books of the protocol: what is minted, bonded, slashed and swapped, in Python ints."""

from collections import defaultdict
from typing import Final

from sim.facts import Kind, LawError
from sim.record.moves import Move

ISSUER: Final = "issuer"
TREASURY: Final = "treasury"
BONDS: Final = "bonds"
POOL: Final = "pool"
MACHINA: Final = "MACHINA"
USDC: Final = "USDC"


class Books:
    """Balances by asset and account, which only moves change; a law that breaks is raised."""

    def __init__(self) -> None:
        self.moves: list[Move] = []
        self.balances: dict[tuple[str, str], int] = defaultdict(int)

    def move(
        self, time_us: int, kind: Kind, asset: str, source: str, target: str, amount: int
    ) -> None:
        """Moves an amount, if it is not zero; only the issuer may go below zero."""
        if not amount:
            return
        left = self.balances[asset, source] - amount
        if amount < 0 or (left < 0 and source != ISSUER):
            raise LawError("no_overdraft", f"{source} at {left} of {asset}", ">= 0")
        self.balances[asset, source] = left
        self.balances[asset, target] += amount
        self.moves.append(Move(time_us, kind, asset, source, target, amount))

    def credit(self, asset: str, account: str, amount: int) -> None:
        """Money that an account has from elsewhere: what a model has earned by its calls."""
        self.balances[asset, account] += amount

    def of(self, account: str, asset: str = MACHINA) -> int:
        """What an account has."""
        return self.balances[asset, account]
