"""How transactions become blocks: mined by us at simulated times, or by a node of its own mind.

On an Anvil of ours every block is mined on purpose and saved; on another's node the clock and the
mining are left alone, unless the run may warp its clock.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sim.chain.answers import Block
from sim.chain.node import mine, set_next_timestamp
from sim.chain.rpc import POLL_S, Rpc, UnreachableError
from sim.chain.sender import RETRY_S, Sender, Transaction
from sim.chain.transactions import TransactionWriter
from sim.facts import ChainError

MINED_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Span:
    """The blocks that hold what was submitted, both ends included; another node's hold more."""

    first: int
    last: int


class Blocks(Protocol):
    """Something that gets transactions mined."""

    rpc: Rpc
    sender: Sender

    def submit(self, transactions: Sequence[Transaction], seconds: int) -> Span:
        """Has transactions mined, in order, ``seconds`` after simulated time 0 (may be negative).

        Raises `ChainError` if the node does not take or mine them.
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

    def submit(self, transactions: Sequence[Transaction], seconds: int) -> Span:
        """As `Blocks.submit`, in one block, which is saved."""
        self.sender.send(transactions)
        timestamp = max(self._genesis_unix + seconds, self._timestamp + 1)
        number = self._number + 1
        self._mine(number, timestamp)
        self._number, self._timestamp = number, timestamp
        if self._writer is not None:
            self._writer.append(timestamp, [transaction.raw for transaction in transactions])
        return Span(number, number)

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

    def submit(self, transactions: Sequence[Transaction], seconds: int) -> Span:
        """As `Blocks.submit`, waiting until the node has mined them."""
        before = self.rpc.quantity("eth_blockNumber")
        if self._warp and seconds > 0:
            self._move_clock(seconds)
        self.sender.send(transactions)
        end = time.monotonic() + MINED_TIMEOUT_S
        mined: list[Block] = []
        while time.monotonic() < end:
            landed = all(item.hash for item in transactions) or (
                self.sender.landed() > transactions[-1].nonce
            )
            last = self.rpc.quantity("eth_blockNumber")
            mined += map(self.rpc.block, range(before + 1 + len(mined), last + 1))
            if landed and _hold(mined, transactions):
                return Span(before + 1, last)
            time.sleep(POLL_S)
        raise ChainError(
            f"transaction {transactions[-1].nonce} of {self.sender.address} is not mined after "
            f"{MINED_TIMEOUT_S:g} s: does the node at {self.rpc.url} mine?"
        )

    def _move_clock(self, seconds: int) -> None:
        """Simulated time 0 is when the node stood ready."""
        latest = self.rpc.block().timestamp
        if self._start is None:
            self._start = latest
        set_next_timestamp(self.rpc, max(self._start + seconds, latest + 1))


def _hold(blocks: Sequence[Block], transactions: Sequence[Transaction]) -> bool:
    """Whether the blocks hold the transactions: a nonce can be taken before its block is shown."""
    held = {name for block in blocks for name in block.transactions}
    known = {transaction.hash for transaction in transactions if transaction.hash}
    return known <= held and len(held) >= len(transactions)
