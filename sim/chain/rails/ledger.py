"""``batch`` and ``prepaid`` on a CallLedger: packed batches, or a deduction for every call."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from sim.chain.answers import Block, Log
from sim.chain.contracts import contract, integer, integers
from sim.chain.history import SettledRecords, history
from sim.chain.pack import GAS_LIMIT, RECORD_BYTES, cut, pack, record_table, split
from sim.chain.rails.parts import Landed, Order, Paid, Part, Way, refused_part, unpaid_ids
from sim.chain.rebuild import Rebuilt
from sim.chain.rpc import RefusedError
from sim.chain.settlement import SettledBatch
from sim.chain.signing import words_of
from sim.facts import Batch, ChainError
from sim.units import Int64Array

DEDUCT_GAS = 200_000
RECORD_AT = 128  # where in the arguments the record stands


class LedgerRail(ABC):
    """What both rails on a CallLedger share: counted calls, one event per settling transaction."""

    def __init__(self, way: Way, *, emit_events: bool) -> None:
        self._way, self._emit_events = way, emit_events
        self._ledger, self._place = contract("CallLedger"), way.deployment.call_ledger
        self._topic = self._ledger.topic("BatchSettled")
        view = way.blocks.rpc.view(self._place, self._ledger.call("callCount"))
        self.first_call = self._next = integer(view)
        self._charges = Charges(way)
        self._before: dict[int, Log] = {}

    @abstractmethod
    def parts(self, batch: Batch) -> Iterator[Part]:
        """As `ChainRail.parts`: all of it is the router's to send."""

    def settle(self, parts: Sequence[Part], seconds: int) -> tuple[list[SettledBatch], Block]:
        """As `ChainRail.settle`: an agent that cannot pay has its calls unpaid, at no charge."""
        orders = [order for part in parts for order in part.orders]
        try:
            landed = self._way.mine((), orders, seconds, self._place, [self._topic])
        except RefusedError as refused:
            raise refused_part(parts[0], self._ledger.why(refused)) from None
        found = {integers(log.data)[0]: log for log in landed.logs}
        rows = [self._row(part, landed, found) for part in parts]
        return rows, landed.blocks[-1]

    def resume(self, first_call: int, first_block: int) -> int:
        """As `ChainRail.resume`: a CallLedger counts its calls."""
        logs = self._way.seen(self._place, [self._topic], first_block)
        self._before = {integers(log.data)[0]: log for log in logs}
        self.first_call = first_call
        return self._next - first_call

    def landed(self, batch: Batch) -> list[SettledBatch]:
        """As `ChainRail.landed`: by the events of the calls."""
        rows = []
        for part in self._settled_parts(batch):
            landed = self._way.landed(self._logs(part, Landed((), (), ()), self._before))
            rows.append(self._row(part, landed, self._before))
        return rows

    def _settled_parts(self, batch: Batch) -> Iterator[Part]:
        """A batch as it was settled: in one transaction, or call by call."""
        yield Part(self.first_call + batch.first, batch)

    def _row(self, part: Part, landed: Landed, found: dict[int, Log]) -> SettledBatch:
        logs = self._logs(part, landed, found)
        counts = [integers(log.data) for log in logs]
        total, fees = (sum(words[at] for words in counts) for at in (3, 4))
        batch = part.batch
        unpaid: tuple[int, ...] = ()
        needed = (int(batch.charge_micros.sum()), int(batch.fee_micros.sum()))
        if (total, fees) != needed:
            charged = self._charges.of(part, logs[-1].block)
            unpaid = unpaid_ids(part, charged)
            if int(charged.sum()) != total:
                raise ChainError(f"{part}: {total} micros were charged, {charged.sum()} implied")
        root = "0x" + logs[0].data[64:96].hex() if len(logs) == 1 else ""
        paid = Paid(total, fees, len(logs), root, unpaid)
        return self._way.row(part, landed, logs[-1], paid, self._gas(logs, landed))

    def _logs(self, part: Part, landed: Landed, found: dict[int, Log]) -> list[Log]:
        """The events that settled a part's calls, in order, none missing and none another's."""
        logs, at = [], part.first
        while at < part.first + len(part):
            log = found.get(at)
            if log is None:
                raise refused_part(part, self._way.why(part.orders, self._ledger))
            if landed.sent and landed.sent[0] and log.transaction not in landed.sent:
                raise ChainError(f"{part} was settled by {log.transaction}, which is not ours")
            logs.append(log)
            at += integers(log.data)[1]
        if at != part.first + len(part):
            raise ChainError(f"{part}: calls to {at - 1} were settled with it")
        return logs

    def _gas(self, logs: list[Log], landed: Landed) -> int:
        if len(logs) == len(landed.sent):
            return self._way.gas_of(landed)
        return sum(
            item.gas_used
            for item in self._way.blocks.rpc.receipts([log.transaction for log in logs])
        )


class BatchRail(LedgerRail):
    """``batch``: ``settleBatch``, as many calls in one as fit into a transaction."""

    def parts(self, batch: Batch) -> Iterator[Part]:
        """As `ChainRail.parts`: all of it is the router's to send."""
        funded, selector = self._way.funded, self._ledger.selector("settleBatch")
        for rows in split(batch, self._emit_events):
            packed = pack(batch, rows, funded.agent_ids, funded.model_ids, self._emit_events)
            order = Order(self._place, packed.calldata(selector, self._next), GAS_LIMIT)
            yield Part(self._next, cut(batch, rows), orders=(order,))
            self._next += packed.count

    def _settled_parts(self, batch: Batch) -> Iterator[Part]:
        start = 0
        while start < len(batch):
            first = self.first_call + batch.first + start
            log = self._before.get(first)
            count = integers(log.data)[1] if log is not None else len(batch) - start
            yield Part(first, cut(batch, slice(start, start + count)))
            start += count


class PrepaidRail(LedgerRail):
    """``prepaid``: ``deduct``, a transaction per call."""

    def parts(self, batch: Batch) -> Iterator[Part]:
        """As `ChainRail.parts`: all of it is the router's to send."""
        ids, zeros = self._way.funded, np.zeros(len(batch), np.int64)
        table = record_table(batch, zeros, zeros, self._emit_events)
        agents, models = ids.agent_ids[batch.agent].tolist(), ids.model_ids[batch.model].tolist()
        selector = self._ledger.selector("deduct")
        orders = []
        for at, (agent, model) in enumerate(zip(agents, models, strict=True)):
            head = words_of((self._next + at, agent, model, RECORD_AT, RECORD_BYTES))
            data = selector + head + table[at].tobytes()
            orders.append(Order(self._place, data, DEDUCT_GAS))
        yield Part(self._next, batch, orders=tuple(orders))
        self._next += len(batch)


class Charges:
    """What a CallLedger charged for each call, where its sums are not what the router expected.

    The chain's history is walked as far as it is asked for, and never twice.
    """

    def __init__(self, way: Way) -> None:
        self._rpc, self._rest = way.blocks.rpc, way.deployment
        self._rebuilt = Rebuilt(way.deployment.fee_bps)

    def of(self, part: Part, last_block: int) -> Int64Array:
        """The charge of each of a part's calls, zero where it was not paid, in micros."""
        charged: Int64Array = np.zeros(len(part), np.int64)
        for event in history(self._rpc, self._rest, last_block):
            if not isinstance(event, SettledRecords):
                self._rebuilt.apply(event)
                continue
            sums, at = self._rebuilt.settle(event), event.first - part.first
            if 0 <= at < len(part):
                charged[at : at + event.count] = sums
        self._rest = replace(self._rest, deploy_block=last_block + 1)
        return charged
