"""How transactions become blocks: mined by us at simulated times, or by a node of its own mind.

On an Anvil of ours every block is mined on purpose and saved; on another's node the clock and the
mining are left alone, unless the run may warp its clock.
"""

import time
from collections.abc import Sequence
from typing import Protocol

from sim.chain.answers import Block
from sim.chain.node import mine, set_next_timestamp
from sim.chain.rpc import POLL_S, Rpc, UnreachableError
from sim.chain.sender import RETRY_S, Sender, Transaction
from sim.chain.transactions import TransactionWriter
from sim.facts import ChainError

MINED_TIMEOUT_S = 120.0


class Blocks(Protocol):
    """Something that gets transactions mined."""

    rpc: Rpc
    sender: Sender

    def submit(self, transactions: Sequence[Transaction], seconds: int) -> list[Block]:
        """Has transactions mined, in order, ``seconds`` after simulated time 0 (may be negative).

        Returns the blocks that hold them (another node's may hold more). Raises `ChainError`
        if the node does not take or mine them.
        """


class OwnBlocks:
    """Blocks of an Anvil of ours: one per `submit`, its time never before the last one's."""

    def __init__(
        self, rpc: Rpc, sender: Sender, genesis_unix: int, writer: TransactionWriter | None
    ) -> None:
        self.rpc, self.sender = rpc, sender
        self._genesis_unix, self._writer = genesis_unix, writer
        latest = rpc.block()
        self._number, self._timestamp = latest.number, latest.timestamp

    def submit(self, transactions: Sequence[Transaction], seconds: int) -> list[Block]:
        """As `Blocks.submit`, in one block, which is saved."""
        self.sender.send(transactions)
        timestamp = max(self._genesis_unix + seconds, self._timestamp + 1)
        number = self._number + 1
        self._mine(number, timestamp)
        block = self.rpc.block(number)
        if block.transactions != tuple(transaction.hash for transaction in transactions):
            found, needed = len(block.transactions), len(transactions)
            raise ChainError(f"block {number} holds {found} transactions, needed the {needed} sent")
        self._number, self._timestamp = number, timestamp
        if self._writer is not None:
            self._writer.append(timestamp, [transaction.raw for transaction in transactions])
        return [block]

    def _mine(self, number: int, timestamp: int) -> None:
        try:
            mine(self.rpc, timestamp)
        except UnreachableError:
            time.sleep(RETRY_S)
            if self.rpc.quantity("eth_blockNumber") < number:
                mine(self.rpc, timestamp)


class ForeignBlocks:
    """Blocks of a node that somebody else runs; with ``warp`` its clock follows simulated time."""

    def __init__(self, rpc: Rpc, sender: Sender, *, warp: bool) -> None:
        self.rpc, self.sender = rpc, sender
        self._warp = warp
        self._start: int | None = None

    def submit(self, transactions: Sequence[Transaction], seconds: int) -> list[Block]:
        """As `Blocks.submit`, waiting until the node has mined them."""
        before = self.rpc.quantity("eth_blockNumber")
        if self._warp and seconds > 0:
            self._move_clock(seconds)
        self.sender.send(transactions)
        end = time.monotonic() + MINED_TIMEOUT_S
        while self.sender.landed() <= transactions[-1].nonce:
            if time.monotonic() > end:
                raise ChainError(
                    f"transaction {transactions[-1].nonce} of {self.sender.address} is not mined "
                    f"after {MINED_TIMEOUT_S:g} s: does the node at {self.rpc.url} mine?"
                )
            time.sleep(POLL_S)
        last = self.rpc.quantity("eth_blockNumber")
        return [self.rpc.block(number) for number in range(before + 1, last + 1)]

    def _move_clock(self, seconds: int) -> None:
        """Simulated time 0 is when the node stood ready."""
        latest = self.rpc.block().timestamp
        if self._start is None:
            self._start = latest
        set_next_timestamp(self.rpc, max(self._start + seconds, latest + 1))
