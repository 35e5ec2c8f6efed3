"""The audit of ``epoch-root``: sums from calldata, roots from the calls that the record holds.

The calls of an epoch are not on the chain. That its root is the root of the record's own calls says
that each of them is in it, once, as it was recorded.
"""

import numpy as np

from sim.chain import merkle
from sim.chain.answers import as_bytes, as_object
from sim.chain.audits.events import Seen, Source, events
from sim.chain.audits.ledger import LedgerAudit
from sim.chain.history import EVENTS, Event, SettledRecords
from sim.chain.pack import Records, record_table
from sim.chain.rails.epoch import Epoch, read_epoch
from sim.chain.rpc import Request
from sim.facts import Batch
from sim.units import Int64Array


class EpochAudit(LedgerAudit):
    """As its base, but an epoch's calls are the record's, and only their root is the chain's."""

    def _walk(self, last: int) -> None:
        source = Source("EpochRoot", self._place, EVENTS)
        for seen in events(self._rpc, (source,), self._deployment.deploy_block, last):
            self._mark(seen.block)
            if seen.name == "BatchSettled":
                self._take_epoch(seen)
            else:
                self._rebuilt.apply(
                    Event(seen.name, seen.block, seen.transaction, seen.indexed, seen.values)
                )

    def _take_epoch(self, seen: Seen) -> None:
        asked: list[Request] = [("eth_getTransactionByHash", [seen.transaction])]
        (answer,) = self._rpc.batch(asked)
        epoch = read_epoch(as_bytes(as_object(answer).get("input")))
        first, count, root, total, fees = seen.values
        self._rebuilt.settle_sums(epoch.count, epoch.debits, epoch.credits, fees)
        if (epoch.first, epoch.count, sum(epoch.debits.values())) != (first, count, total):
            self._faults.append(f"epoch {seen.indexed[0]}: its event and its calldata differ")
        kept = root.to_bytes(32, "big")
        if first < self._record.first_call or self._after is not None:
            self._roots.append(kept)
            return
        self._of_run(seen, epoch, kept)

    def _of_run(self, seen: Seen, epoch: Epoch, root: bytes) -> None:
        """Holds an epoch of the run against the record's calls at its place."""
        record, start = self._record, epoch.first - self._record.first_call
        here = slice(start, start + epoch.count)
        charged = record.charge_micros[here]
        if self._run_ids is None:
            self._run_ids = self._ids()
        if len(charged) < epoch.count:
            self._roots.append(root)
            self._faults.append(f"epoch {seen.indexed[0]} has more calls than the record")
            return
        _, _, _, total, fees = seen.values
        self._check(
            SettledRecords(
                batch_id=seen.indexed[0],
                first=epoch.first,
                count=epoch.count,
                root=root,
                total_micros=total,
                fees_micros=fees,
                records=self._records(epoch.first, here),
                block=seen.block,
                timestamp=0,
                gas_used=self._rpc.receipt(seen.transaction).gas_used,
            ),
            charged,
        )

    def _records(self, first: int, here: slice) -> Records:
        """The record's calls as the leaves of an epoch have them."""
        record = self._record
        agents, models = self._run_ids or self._ids()
        columns = {
            name: getattr(record, name)[here]
            for name in ("quote_micros", "charge_micros", "score_ppm", "intent", "finished_us")
        }
        none: Int64Array = np.zeros(len(columns["intent"]), np.int64)
        batch = Batch(
            number=0, closed_us=0, first=first, call_id=record.call_id[here],
            agent=record.agent[here], model=record.model[here], fee_micros=none,
            answer_hash=record.answer_hash[here], **columns,
        )  # fmt: skip
        table = record_table(batch, none, none, emit_events=False)
        return Records(
            first=first, agent_ids=agents[batch.agent], model_ids=models[batch.model], flags=none,
            heads=table[:, : merkle.WORD], answers=table[:, merkle.WORD :], **columns,
        )  # fmt: skip
