"""How transactions become blocks: mined by us at simulated times, or by a node of its own mind.

On an Anvil of ours every block is mined on purpose and saved; on another's node the clock and the
mining are left alone, unless the run may warp its clock.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from sim.chain.answers import Block, as_bytes
from sim.chain.merkle import keccak
from sim.chain.node import drop, drop_waiting, mine, mine_waiting, roll_back, set_next_timestamp
from sim.chain.rpc import POLL_S, RefusedError, Rpc, UnreachableError
from sim.chain.sender import RETRY_S, Sender, Transaction
from sim.chain.transactions import SavedBlock, TransactionReader, TransactionWriter
from sim.facts import ChainError

MINED_TIMEOUT_S = 120.0
STALLED_S = 15.0


class ReorganisedError(ChainError):
    """The chain has taken back a block that we had seen: its ``number`` and ``hash``."""

    def __init__(self, block: Block) -> None:
        self.number, self.hash = block.number, block.hash
        super().__init__(f"the chain has taken back block {block.number} ({block.hash})")


def stands(rpc: Rpc, block: Block | None) -> None:
    """Raises `ReorganisedError` unless a block that we had seen is still the chain's."""
    if block is not None and rpc.block_hash(block.number) != block.hash:
        raise ReorganisedError(block)


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

    def stand(self) -> None:
        """Raises `ReorganisedError` if the last block that was mined here is not there any more."""

    def look_again(self) -> None:
        """Takes the chain as it now is, after a reorganisation."""


class OwnBlocks:
    """Blocks of an Anvil of ours: one per `submit`, its time never before the last one's."""

    def __init__(
        self, rpc: Rpc, sender: Sender, genesis_unix: int, writer: TransactionWriter | None
    ) -> None:
        self.rpc, self.sender = rpc, sender
        self._genesis_unix, self._writer = genesis_unix, writer
        self._last = rpc.block()

    def submit(self, transactions: Sequence[Transaction], seconds: int) -> Span:
        """As `Blocks.submit`, in one block, which is saved."""
        self.stand()
        self.sender.send(transactions)
        timestamp = max(self._genesis_unix + seconds, self._last.timestamp + 1)
        number = self._last.number + 1
        self._mine(number, timestamp)
        mined, before = self.rpc.block(), self._last
        if mined.number != number:
            raise ReorganisedError(before)
        self._last = mined
        if self._writer is not None:
            self._writer.append(timestamp, self._as_mined(mined, transactions))
        return Span(number, number)

    def stand(self) -> None:
        """As `Blocks.stand`."""
        stands(self.rpc, self._last)

    def look_again(self) -> None:
        """As `Blocks.look_again`: chain and transaction file go back to where both agree."""
        drop_waiting(self.rpc)
        if self._writer is not None:
            self._agree(self._writer, self.rpc.block().number)
        self._last = self.rpc.block()
        self.sender.nonce = self.sender.landed()

    def _agree(self, writer: TransactionWriter, last: int) -> None:
        """Takes a block back that was mined as those before it were already gone.

        It cannot be replayed: the senders of what failed in it are in its state, and only there.
        """
        saved, agreed = list(TransactionReader(writer.path.parent))[:last], last
        while agreed and not (agreed <= len(saved) and self._is(agreed, saved[agreed - 1])):
            agreed -= 1
        if agreed < last:
            roll_back(self.rpc, last - agreed)
        writer.keep(agreed)

    def _is(self, number: int, saved: SavedBlock) -> bool:
        """Whether a block of the chain is the one that was saved."""
        block = self.rpc.block(number)
        names = tuple("0x" + keccak(raw).hex() for raw in saved.transactions)
        return (block.timestamp, block.transactions) == (saved.timestamp, names)

    def _as_mined(self, block: Block, sent: Sequence[Transaction]) -> list[bytes]:
        """A block's raw transactions in its own order; the node is asked for others."""
        ours = {one.hash: one.raw for one in sent}
        return [
            ours.get(name) or as_bytes(self.rpc.call("eth_getRawTransactionByHash", name))
            for name in block.transactions
        ]

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
        self._last: Block | None = None
        self._sent: tuple[str, ...] = ()

    def submit(self, transactions: Sequence[Transaction], seconds: int) -> Span:
        """As `Blocks.submit`, waiting until the node has mined them."""
        self.stand()
        before = self.rpc.quantity("eth_blockNumber")
        if self._warp and seconds > 0:
            self._move_clock(seconds)
        self._sent = tuple(one.hash for one in transactions if one.hash)
        self.sender.send(transactions)
        started = time.monotonic()
        end, stalled = started + MINED_TIMEOUT_S, started + STALLED_S
        mined: list[Block] = []
        while time.monotonic() < end:
            if self.sender.on_own_chain and time.monotonic() > stalled:
                # An Anvil that mines at once now and then overlooks the last of many transactions.
                mine_waiting(self.rpc)
                stalled += STALLED_S
            landed = all(item.hash for item in transactions) or (
                self.sender.landed() > transactions[-1].nonce
            )
            last = self.rpc.quantity("eth_blockNumber")
            mined += map(self.rpc.block, range(before + 1 + len(mined), last + 1))
            self.stand()
            if landed and _hold(mined, transactions):
                self._last = mined[-1]
                return Span(before + 1, last)
            time.sleep(POLL_S)
        raise ChainError(
            f"transaction {transactions[-1].nonce} of {self.sender.address} is not mined after "
            f"{MINED_TIMEOUT_S:g} s: does the node at {self.rpc.url} mine?"
        )

    def stand(self) -> None:
        """As `Blocks.stand`."""
        stands(self.rpc, self._last)

    def look_again(self) -> None:
        """As `Blocks.look_again`; what we sent last does not wait for its nonce to come."""
        with suppress(RefusedError):  # where the node is no Anvil
            for name in self._sent:
                drop(self.rpc, name)
        self._last = self.rpc.block()
        self.sender.nonce = self.sender.landed()

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
