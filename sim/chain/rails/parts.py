"""What every rail shares on chain: calls on their way, the way there, and the rows that come back.

A rail does the same three things in the same order: `parts` makes of a batch what goes together,
with all that agents sign; `settle` has it mined and reads from the events what was paid. What the
router sends is signed at the last moment, so that nothing sent before it can shift its nonces.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from sim.chain.answers import Block, Log
from sim.chain.blocks import Blocks, Span
from sim.chain.contracts import Contract
from sim.chain.deployment import Deployment
from sim.chain.funding import Funded
from sim.chain.pack import cut
from sim.chain.rpc import RefusedError, UnreachableError
from sim.chain.sender import Transaction, Wallets
from sim.chain.settlement import SettledBatch
from sim.facts import Batch, ChainError
from sim.units import Int64Array

BLOCKS_PER_QUERY = 5_000
READS = 3
ERRAND_GAS = 200_000


class Order(NamedTuple):
    """A transaction that the router is to send: to a contract, calldata, at most so much gas."""

    to: str
    data: bytes
    gas: int


@dataclass(frozen=True, slots=True)
class Part:
    """A batch, or as much of one as goes together, on its way.

    Args:
        first: the chain's id of its first call. batch: its calls alone, ``closed_us`` the whole's.
        signed: what agents and models send themselves. orders: what the router sends after it.
        paying: positions of the calls that are paid one by one.
    """

    first: int
    batch: Batch
    signed: tuple[Transaction, ...] = ()
    orders: tuple[Order, ...] = ()
    paying: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.batch)

    def __str__(self) -> str:
        last = self.first + len(self) - 1
        return f"batch {self.batch.number} (calls {self.first} to {last})"


@dataclass(frozen=True, slots=True)
class Landed:
    """A block's worth of transactions, mined: the blocks that hold them, and the events meant."""

    sent: tuple[str, ...]
    blocks: tuple[Block, ...]
    logs: tuple[Log, ...]

    def then(self, later: "Landed") -> "Landed":
        """This and what came later, of whose events alone the outcome can be told."""
        sent, blocks = (*self.sent, *later.sent), (*self.blocks, *later.blocks)
        return Landed(sent, blocks, later.logs)


@dataclass
class Way:
    """One run's way to the contracts of its rail.

    ``wallets`` are the agents' own, then the models'; None where only the router may send.
    """

    blocks: Blocks
    deployment: Deployment
    funded: Funded
    wallets: Wallets | None = None

    def mine(
        self, signed: Sequence[Transaction], orders: Sequence[Order], seconds: int, place: str,
        topics: Sequence[bytes],
    ) -> Landed:  # fmt: skip
        """Has transactions mined ``seconds`` after simulated time 0, and reads a contract's events.

        Raises `ChainError` if the node does not take or mine them.
        """
        ready = [*signed, *(self.blocks.sender.prepare(*order) for order in orders)]
        span = self.blocks.submit(ready, seconds)
        blocks, logs = self._read(place, topics, span)
        return Landed(tuple(item.hash for item in ready), tuple(blocks), tuple(logs))

    def _read(
        self, place: str, topics: Sequence[bytes], span: Span
    ) -> tuple[list[Block], list[Log]]:
        """Reads what was mined; to ask again costs nothing, so one lost answer ends nothing."""
        for attempt in range(READS):
            try:
                return self.blocks.rpc.mined(place, topics, span.first, span.last)
            except UnreachableError as lost:
                self.blocks.rpc.ask_again(lost, attempt, READS)
        raise AssertionError("the last attempt raises")

    def seen(self, place: str, topics: Sequence[bytes], first_block: int) -> list[Log]:
        """A contract's events from a block on."""
        rpc = self.blocks.rpc
        last, found = rpc.quantity("eth_blockNumber"), []
        for start in range(first_block, last + 1, BLOCKS_PER_QUERY):
            end = min(last, start + BLOCKS_PER_QUERY - 1)
            found += rpc.logs(place, topics, start, end)
        return found

    def landed(self, logs: Sequence[Log]) -> Landed:
        """The transactions that these events are of, and their blocks."""
        numbers = dict.fromkeys(log.block for log in logs)
        blocks = tuple(map(self.blocks.rpc.block, numbers))
        return Landed(tuple(dict.fromkeys(log.transaction for log in logs)), blocks, tuple(logs))

    def why(self, orders: Sequence[Order], speaks: Contract) -> str:
        """Asks the node to try the router's transactions again, without effect, for a reason."""
        sender = self.blocks.sender.address
        for order in orders:
            asked = {"from": sender, "to": order.to, "data": "0x" + order.data.hex()}
            try:
                self.blocks.rpc.call("eth_call", {**asked}, "latest")
            except RefusedError as refused:
                return speaks.why(refused)
        return "it ran out of gas, or was not mined"

    def row(
        self, part: Part, landed: Landed, last: Log, paid: "Paid", gas_used: int
    ) -> SettledBatch:
        """What is told of a part that is settled: ``last`` is the event that ended it."""
        block = next(block for block in landed.blocks if block.number == last.block)
        return SettledBatch(
            number=part.batch.number,
            closed_us=part.batch.closed_us,
            first=part.first,
            count=len(part),
            total_micros=paid.total_micros,
            fees_micros=paid.fees_micros,
            root=paid.root,
            transaction=last.transaction,
            transactions=paid.transactions,
            block=last.block,
            timestamp=block.timestamp,
            gas_used=gas_used,
            unpaid=paid.unpaid,
        )

    def gas_of(self, landed: Landed) -> int:
        """The gas of all that was sent, by blocks where they hold nothing else."""
        if sum(len(block.transactions) for block in landed.blocks) == len(landed.sent):
            return sum(block.gas_used for block in landed.blocks)
        return sum(receipt.gas_used for receipt in self.blocks.rpc.receipts(landed.sent))


class Paid(NamedTuple):
    """What the contract charged and kept for a part, in how many transactions.

    ``unpaid`` are the chain's ids of calls that should have been charged and were not.
    """

    total_micros: int
    fees_micros: int
    transactions: int
    root: str = ""
    unpaid: tuple[int, ...] = ()


class ChainRail(Protocol):
    """A rail on one chain: ``first_call`` is its contract's number of calls before the run."""

    first_call: int

    def parts(self, batch: Batch) -> Iterator[Part]:
        """A batch as what goes together, with all that agents sign for it."""

    def settle(self, parts: Sequence[Part], seconds: int) -> tuple[list[SettledBatch], Block]:
        """Has parts mined, and tells what was paid; raises `ChainError` naming a wrong part."""

    def resume(self, first_call: int, first_block: int) -> int:
        """Goes on with a run that began there; how many of its calls are on the chain already."""

    def landed(self, batch: Batch) -> list[SettledBatch]:
        """What the chain tells of a batch that was settled before; raises `ChainError`."""


def cuts(batch: Batch, size: int) -> Iterator[Batch]:
    """A batch in pieces of at most ``size`` calls."""
    for start in range(0, len(batch), size):
        yield cut(batch, slice(start, min(start + size, len(batch))))


def unpaid_ids(part: Part, charged: Int64Array) -> tuple[int, ...]:
    """The chain ids of the calls that should have been charged and were not."""
    short = np.flatnonzero(charged < part.batch.charge_micros)
    return tuple((part.first + short).tolist())


def refused_part(part: Part, why: str) -> ChainError:
    """A part that the contract did not settle."""
    return ChainError(f"{part} was not settled: {why}")
