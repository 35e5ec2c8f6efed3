"""The settling itself: batches become transactions, those blocks, and every block is checked."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from sim.chain.answers import Block, Log
from sim.chain.blocks import Blocks
from sim.chain.contracts import contract, integer, integers
from sim.chain.deployment import Deployment
from sim.chain.funding import Funded
from sim.chain.pack import GAS_LIMIT, Packed, pack, split
from sim.chain.rpc import RefusedError
from sim.chain.sender import Transaction
from sim.chain.settlement import SettledBatch
from sim.facts import Batch, ChainError
from sim.units import US_PER_S

TRANSACTIONS_PER_BLOCK = 16


@dataclass(frozen=True, slots=True)
class Part:
    """A batch, or part of one, on its way: ``first`` is the chain's id of its first call."""

    number: int
    closed_us: int
    first: int
    packed: Packed
    transaction: Transaction

    def __str__(self) -> str:
        return f"batch {self.number} (calls {self.first} to {self.first + self.packed.count - 1})"


Settled = Callable[[list[SettledBatch], Block], None]


class Engine:
    """Settles a run's batches on one deployment, in the order they come.

    Args:
        block_time_us: batches that close within one such window share a block.
        one_by_one: each transaction is submitted by itself (a node that mines as it likes).
        settled: is told of each checked block's batches and the block, by another thread.

    One thread packs and signs the next block while another has the last one mined.
    """

    def __init__(
        self,
        blocks: Blocks,
        deployment: Deployment,
        funded: Funded,
        *,
        block_time_us: int,
        emit_events: bool,
        one_by_one: bool,
        settled: Settled,
    ) -> None:
        self._blocks, self._ledger_at = blocks, deployment.call_ledger
        self._funded, self._emit_events, self._settled = funded, emit_events, settled
        self._block_time_us = block_time_us
        self._per_block = 1 if one_by_one else TRANSACTIONS_PER_BLOCK
        self._ledger = contract("CallLedger")
        self._selector = self._ledger.selector("settleBatch")
        self._topic = self._ledger.topic("BatchSettled")
        view = blocks.rpc.view(self._ledger_at, self._ledger.call("callCount"))
        self.first_call = self._next = integer(view)
        self._waiting: list[Part] = []
        self._window, self._sent = -1, 0
        self._worker = ThreadPoolExecutor(1, "miner")
        self._mining: Future[None] | None = None

    def add(self, batch: Batch) -> None:
        """Takes a batch; what waits is mined when a later window begins, or the block is full."""
        window = batch.closed_us // self._block_time_us
        if window != self._window:
            self.flush()
            self._window = window
        for part in split(batch, self._emit_events):
            packed = pack(
                batch, part, self._funded.agent_ids, self._funded.model_ids, self._emit_events
            )
            data = packed.calldata(self._selector, self._next)
            ready = self._blocks.sender.prepare(self._ledger_at, data, GAS_LIMIT)
            self._waiting.append(Part(batch.number, batch.closed_us, self._next, packed, ready))
            self._next += packed.count
            if len(self._waiting) == self._per_block:
                self.flush()

    def flush(self) -> None:
        """Has what waits mined and checked, while the caller goes on; see `wait` for errors."""
        if not self._waiting:
            return
        self.wait()
        parts, self._waiting = self._waiting, []
        seconds = -((self._window + 1) * self._block_time_us // -US_PER_S)
        self._mining = self._worker.submit(self._mine, parts, seconds)

    def wait(self) -> None:
        """Returns when what was flushed is mined; raises `ChainError` naming a wrong batch."""
        if self._mining is not None:
            self._mining.result()
            self._mining = None

    def _mine(self, parts: list[Part], seconds: int) -> None:
        try:
            span = self._blocks.submit([part.transaction for part in parts], seconds)
        except RefusedError as refused:
            raise ChainError(f"{parts[0]}: {self._ledger.why(refused)}") from None
        mined, logs = self._blocks.rpc.mined(self._ledger_at, [self._topic], span.first, span.last)
        found = {integers(log.data)[0]: log for log in logs}
        for part in parts:
            self._check(part, found.get(part.first))
        self._settled(self._rows(parts, [found[part.first] for part in parts], mined), mined[-1])

    def _check(self, part: Part, log: Log | None) -> None:
        if log is None:
            raise ChainError(f"{part} was not settled: {self._why_not(part)}")
        _, count, _, total, fees = integers(log.data)
        needed = (part.packed.count, part.packed.total_micros, part.packed.fees_micros)
        if (count, total, fees) != needed:
            raise ChainError(
                f"{part}: the contract settled (calls, micros charged, fees) "
                f"{(count, total, fees)}, needed {needed}"
            )
        if part.transaction.raw and log.transaction != part.transaction.hash:
            raise ChainError(f"{part} was settled by {log.transaction}, which is not ours")

    def _why_not(self, part: Part) -> str:
        """Asks the node to try the transaction again, without effect, to hear its reason."""
        data = "0x" + part.packed.calldata(self._selector, part.first).hex()
        sender = self._blocks.sender.address
        try:
            self._blocks.rpc.call(
                "eth_call", {"from": sender, "to": self._ledger_at, "data": data}, "latest"
            )
        except RefusedError as refused:
            return self._ledger.why(refused)
        return "it ran out of gas, or was not mined"

    def _rows(self, parts: list[Part], logs: list[Log], mined: list[Block]) -> list[SettledBatch]:
        blocks = {block.number: block for block in mined}
        rows = []
        for part, log in zip(parts, logs, strict=True):
            block = blocks[log.block]
            alone = len(block.transactions) == 1
            rows.append(
                SettledBatch(
                    number=part.number,
                    closed_us=part.closed_us,
                    first=part.first,
                    count=part.packed.count,
                    total_micros=part.packed.total_micros,
                    fees_micros=part.packed.fees_micros,
                    root="0x" + log.data[64:96].hex(),
                    transaction=log.transaction,
                    block=log.block,
                    timestamp=block.timestamp,
                    gas_used=block.gas_used if alone else self._gas_of(log.transaction),
                    sent=self._sent,
                )
            )
            self._sent += 1
        return rows

    def _gas_of(self, transaction: str) -> int:
        return self._blocks.rpc.receipt(transaction).gas_used
