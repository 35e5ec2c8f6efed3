"""How transactions become blocks: mined by us at simulated times, or by a node of its own mind.

On an Anvil of ours every block is mined on purpose and saved; on another's node the clock and the
mining are left alone, unless the run may warp its clock.
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sim.chain.answers import Block, as_bytes, as_object, as_quantity
from sim.chain.node import (
    KEPT_STATES,
    drop_all_of,
    drop_waiting,
    mine,
    mine_waiting,
    mines_at_once,
    set_next_timestamp,
)
from sim.chain.reorganised import go_back, took_effect
from sim.chain.rpc import POLL_S, RETRY_S, RefusedError, Request, Rpc, UnreachableError
from sim.chain.sender import Sender, Transaction
from sim.chain.transactions import TransactionReader, TransactionWriter
from sim.facts import ChainError

MINED_TIMEOUT_S = 120.0
STALLED_S = 15.0
LOOKED_AT = 4  # of blocks without their effects only the last can be; what follows one soon fails


class ReorganisedError(ChainError):
    """The chain has taken back a block that we had seen: its ``number`` and ``hash``."""

    def __init__(self, block: Block) -> None:
        self.number, self.hash = block.number, block.hash
        super().__init__(f"the chain has taken back block {block.number} ({block.hash})")


def stands(rpc: Rpc, block: Block | None) -> None:
    """Raises `ReorganisedError` unless a block that we had seen is still the chain's.

    So must its parent be: an Anvil that is told to revert while it mines puts the block in hand on
    top of the ones that it has just taken back.
    """
    if block is None:
        return
    needed = {block.number: block.hash, block.number - 1: block.parent}
    numbers = [number for number in needed if number >= 0]
    for number, found in zip(numbers, rpc.blocks(numbers), strict=True):
        if found is None or found.hash != needed[number]:
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

    @property
    def zero_unix(self) -> int | None:
        """Simulated time 0, in unix seconds; None where the node's clock is its own."""

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
        self.zero_unix, self._writer = genesis_unix, writer
        self._last = rpc.block()
        before = rpc.block(max(0, self._last.number - 1))
        self._mined = deque(dict.fromkeys([before, self._last]), KEPT_STATES)

    def submit(self, transactions: Sequence[Transaction], seconds: int) -> Span:
        """As `Blocks.submit`, in one block, which is saved.

        Whether it stands where it should is looked at once it is mined: if not, it goes again.
        """
        self.sender.send(transactions)
        timestamp = max(self.zero_unix + seconds, self._last.timestamp + 1)
        number = self._last.number + 1
        self._mine(number, timestamp)
        mined, before = self.rpc.blocks(["latest", self._last.number])
        if mined is None or (mined.number, before) != (number, self._last):
            raise ReorganisedError(self._last)
        if len(mined.transactions) < len(transactions):
            raise ReorganisedError(self._last)
        self._last = mined
        if self._writer is not None:
            # By its own time: a node in the midst of a reorganisation forgets what it was told.
            self._writer.append(mined.timestamp, self._as_mined(mined, transactions))
            self._mined.append(mined)
        return Span(number, number)

    def stand(self) -> None:
        """As `Blocks.stand`; a block can stay and its effects go, if it was mined in between."""
        stands(self.rpc, self._last)
        for block in (*self._mined, self._last)[-LOOKED_AT:]:
            if not took_effect(self.rpc, block):
                raise ReorganisedError(block)

    def look_again(self) -> None:
        """As `Blocks.look_again`: chain and transaction file go back to where both agree."""
        drop_waiting(self.rpc)
        if self._writer is not None:
            saved = list(TransactionReader(self._writer.path.parent))
            last = go_back(self.rpc, tuple(self._mined), saved)
            self._writer.keep(last.number)
            while self._mined[-1].number > last.number:
                self._mined.pop()
        self._last = self.rpc.block()
        self.sender.nonce = self.sender.landed()

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
    """Blocks of a node that somebody else runs; with ``warp`` its clock follows simulated time.

    Simulated time 0 is ``zero_unix`` by it; the second after the node stood ready, if None.
    """

    def __init__(
        self, rpc: Rpc, sender: Sender, *, warp: bool, zero_unix: int | None = None
    ) -> None:
        self.rpc, self.sender = rpc, sender
        self._warp, self._zero_unix = warp, zero_unix
        self._last: Block | None = None

    def submit(self, transactions: Sequence[Transaction], seconds: int) -> Span:
        """As `Blocks.submit`, waiting until the node has mined them."""
        self.stand()
        before = self.rpc.quantity("eth_blockNumber")
        if self._warp and seconds >= 0:
            self._move_clock(seconds)
        self.sender.send(transactions)
        started = time.monotonic()
        end, stalled = started + MINED_TIMEOUT_S, started + STALLED_S
        mined: list[Block] = []
        while time.monotonic() < end:
            if time.monotonic() > stalled:
                if self.sender.on_own_chain or mines_at_once(self.rpc):
                    self._nudge(transactions)
                stalled += STALLED_S
            last = self.rpc.quantity("eth_blockNumber")
            mined += map(self.rpc.block, range(before + 1 + len(mined), last + 1))
            self.stand()
            found = self._found(mined, transactions)
            if found:
                self._last = found[-1]
                return Span(found[0].number, found[-1].number)
            time.sleep(POLL_S)
        raise ChainError(
            f"transaction {transactions[-1].nonce} of {self.sender.address} is not mined after "
            f"{MINED_TIMEOUT_S:g} s: does the node at {self.rpc.url} mine?"
        )

    def _nudge(self, transactions: Sequence[Transaction]) -> None:
        """An Anvil that mines at once now and then overlooks the last of many transactions.

        Those that it holds ready it mines when it is told to. One that came in while the nonce
        before it was being mined waits for that for ever, and can be taken out only with all that
        its account has waiting: so they are, and sent anew.
        """
        mine_waiting(self.rpc)
        overlooked, owners = self.sender.waiting(transactions)
        for owner in owners:
            drop_all_of(self.rpc, owner)
        if overlooked:
            self.sender.send(overlooked)

    def stand(self) -> None:
        """As `Blocks.stand`."""
        stands(self.rpc, self._last)

    def look_again(self) -> None:
        """As `Blocks.look_again`; what still waits of ours is forgotten, or waited for."""
        try:
            drop_all_of(self.rpc, self.sender.address)
        except RefusedError:  # the node is no Anvil
            self._wait_for_pending()
        self._last = self.rpc.block()
        self.sender.nonce = self.sender.landed()

    def _wait_for_pending(self) -> None:
        """What a reorganisation made pending again lands by itself, in a block or two."""
        end = time.monotonic() + MINED_TIMEOUT_S
        while self.sender.landed() < self.sender.landed("pending") and time.monotonic() < end:
            time.sleep(POLL_S)

    def _found(
        self, mined: Sequence[Block], transactions: Sequence[Transaction]
    ) -> Sequence[Block]:
        """The blocks that hold the transactions, from the first to the last; none if not all do.

        A reorganisation can have them mined before they are sent again: then older ones are asked.
        """
        signed = all(item.hash for item in transactions)
        if signed and _hold(mined, transactions):
            return mined
        if self.sender.landed() <= transactions[-1].nonce:
            return ()
        if not signed:
            return mined if _hold(mined, transactions) else ()
        asked: list[Request] = [("eth_getTransactionByHash", [one.hash]) for one in transactions]
        places = [
            as_object(answer).get("blockNumber") for answer in self.rpc.batch(asked) if answer
        ]
        if len(places) < len(transactions) or None in places:
            return ()
        numbers = sorted(map(as_quantity, places))
        return [self.rpc.block(number) for number in (numbers[0], numbers[-1])]

    @property
    def zero_unix(self) -> int | None:
        """Simulated time 0, in unix seconds; None where the node's clock is its own."""
        if self._warp and self._zero_unix is None:
            self._zero_unix = self.rpc.block().timestamp + 1
        return self._zero_unix

    def _move_clock(self, seconds: int) -> None:
        latest, zero = self.rpc.block().timestamp, self.zero_unix
        assert zero is not None
        set_next_timestamp(self.rpc, max(zero + seconds, latest + 1))


def _hold(blocks: Sequence[Block], transactions: Sequence[Transaction]) -> bool:
    """Whether the blocks hold the transactions: a nonce can be taken before its block is shown."""
    held = {name for block in blocks for name in block.transactions}
    known = {transaction.hash for transaction in transactions if transaction.hash}
    return known <= held and len(held) >= len(transactions)
