"""Transactions of one account that must succeed, each with a name to complain by."""

from collections.abc import Sequence
from typing import Self

from sim.chain.accounts import Account
from sim.chain.blocks import Blocks, ForeignBlocks
from sim.chain.rpc import Rpc
from sim.chain.sender import Sender, Transaction
from sim.facts import ChainError

GAS = 16_000_000  # what a node allows a transaction: gas is free on a chain of our own
CALL_GAS = 500_000  # more than a plain call of a contract takes
FOREIGN_GAS = 16_000_000  # what goes into one block of a node that allows 30 million
Named = tuple[str, Transaction, int]
"""What a transaction is, itself, and its gas."""


class Work:
    """One account's transactions on a node that mines by itself."""

    def __init__(self, rpc: Rpc, signer: Account) -> None:
        self.rpc = rpc
        self.sender = Sender(rpc, signer, rpc.quantity("eth_chainId"), free=True)
        self.blocks: Blocks = ForeignBlocks(rpc, self.sender, warp=False)
        self._seconds = 0
        self._waiting: list[Named] = []

    @classmethod
    def on(cls, blocks: Blocks, seconds: int) -> Self:
        """The work of a run's own sender, in blocks from so long after simulated time 0 on."""
        made = cls.__new__(cls)
        made.rpc, made.sender, made.blocks = blocks.rpc, blocks.sender, blocks
        made._seconds, made._waiting = seconds, []
        return made

    def add(
        self, name: str, to: str | None, data: bytes, gas: int = GAS, value_wei: int = 0
    ) -> None:
        """The account's next transaction; ``to`` is None to create a contract."""
        self._waiting.append((name, self.sender.prepare(to, data, gas, value_wei), gas))

    def do(self) -> None:
        """Has what was added mined; raises `ChainError` that names the first that failed."""
        waiting, self._waiting = self._waiting, []
        if self.sender.on_own_chain:
            self._submit(waiting)
            return
        part: list[Named] = []
        for each in waiting:
            if part and sum(gas for *_, gas in (*part, each)) > FOREIGN_GAS:
                self._submit(part)
                part = []
            part.append(each)
        if part:
            self._submit(part)

    def _submit(self, part: Sequence[Named]) -> None:
        self.blocks.submit([transaction for _, transaction, _ in part], self._seconds)
        failed(self.rpc, [(name, transaction.hash) for name, transaction, _ in part])


def failed(rpc: Rpc, sent: Sequence[tuple[str, str]]) -> None:
    """Raises `ChainError` if one of the named transactions has reverted."""
    for name, transaction in sent:
        if not rpc.receipt(transaction).ok:
            raise ChainError(f"{name} has failed: {transaction} reverted on {rpc.url}")
