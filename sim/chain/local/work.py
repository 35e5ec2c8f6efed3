"""Transactions of one account that must succeed, each with a name to complain by."""

from collections.abc import Sequence
from typing import Self

from sim.chain.accounts import Account
from sim.chain.blocks import Blocks, ForeignBlocks
from sim.chain.rpc import Rpc
from sim.chain.sender import Sender, Transaction
from sim.facts import ChainError

GAS = 16_000_000  # what a node allows a transaction: gas is free on a chain of our own


class Work:
    """One account's transactions on a node that mines by itself."""

    def __init__(self, rpc: Rpc, signer: Account) -> None:
        self.rpc = rpc
        self.sender = Sender(rpc, signer, rpc.quantity("eth_chainId"), free=True)
        self.blocks: Blocks = ForeignBlocks(rpc, self.sender, warp=False)
        self._seconds = 0
        self._waiting: list[tuple[str, Transaction]] = []

    @classmethod
    def on(cls, blocks: Blocks, seconds: int) -> Self:
        """The work of a run's own sender, in blocks from so long after simulated time 0 on."""
        made = cls.__new__(cls)
        made.rpc, made.sender, made.blocks = blocks.rpc, blocks.sender, blocks
        made._seconds, made._waiting = seconds, []
        return made

    def add(self, name: str, to: str | None, data: bytes) -> None:
        """The account's next transaction; ``to`` is None to create a contract."""
        self._waiting.append((name, self.sender.prepare(to, data, GAS)))

    def do(self) -> None:
        """Has what was added mined; raises `ChainError` that names the first that failed."""
        waiting, self._waiting = self._waiting, []
        self.blocks.submit([transaction for _, transaction in waiting], self._seconds)
        failed(self.rpc, [(name, transaction.hash) for name, transaction in waiting])


def failed(rpc: Rpc, sent: Sequence[tuple[str, str]]) -> None:
    """Raises `ChainError` if one of the named transactions has reverted."""
    for name, transaction in sent:
        if not rpc.receipt(transaction).ok:
            raise ChainError(f"{name} has failed: {transaction} reverted on {rpc.url}")
