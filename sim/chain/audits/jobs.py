"""The audit of ``escrow-job``: every job opened, delivered and released as the record has it."""

from collections.abc import Iterator

import numpy as np

from sim.chain.audits.books import SPLITTER
from sim.chain.audits.events import Seen, Source
from sim.chain.audits.order import Compared, compare_in_order
from sim.chain.audits.walk import WalletAudit
from sim.chain.deployment import Deployment
from sim.chain.rpc import Rpc
from sim.chain.settlement import AuditRecord

JOB_EVENTS = ("Opened", "Delivered", "Released", "Refunded", "Expired")


class JobAudit(WalletAudit):
    """``escrow-job``: a call that was unpaid has no job, every other has one, in order."""

    counter = "jobCount"

    def __init__(self, rpc: Rpc, deployment: Deployment, record: AuditRecord) -> None:
        super().__init__(rpc, deployment, record)
        self._jobs: dict[int, tuple[int, int, int]] = {}
        self._of_calls: dict[int, dict[str, int]] = {}

    def _splitter(self) -> Source:
        return Source("JobEscrow", self._deployment.job_escrow, (*JOB_EVENTS, *SPLITTER))

    def _apply(self, seen: Seen) -> None:
        if seen.source == "USDC":
            return
        job = seen.indexed[0]
        if seen.name == "Opened":
            self._open(job, seen)
            return
        agent, model, budget = self._jobs[job]
        if seen.name == "Delivered":
            if job in self._of_calls:
                self._of_calls[job]["answer_hash"] = seen.values[0]
            return
        if agent >= 0:
            self._books.held[agent] -= budget
        if seen.name == "Released":
            charge, fee, _ = seen.values
            self._books.earned[model] += charge - fee
            self._books.fees += fee
            if job in self._of_calls:
                self._of_calls[job]["charge_micros"] = charge

    def _open(self, job: int, seen: Seen) -> None:
        (_, payer, model), (budget, *_) = seen.indexed, seen.values
        agent = self._books.agent_at.get(payer, -1)
        self._jobs[job] = (agent, model, budget)
        self._books.calls += 1
        if agent >= 0:
            self._books.held[agent] += budget
        if self._of_run:
            seller = self._books.model_at.get(model, -1)
            call = {"agent": agent, "model": seller, "quote_micros": budget}
            self._of_calls[job] = {**call, "charge_micros": 0, "answer_hash": 0}

    def _compare(self) -> Iterator[Compared]:
        record = self._record
        has_job = ~record.unpaid
        names = ("agent", "model", "quote_micros", "charge_micros")
        found = {name: [call[name] for call in self._of_calls.values()] for name in names}
        wanted = {
            "agent": record.agent[has_job],
            "model": record.model[has_job],
            "quote_micros": record.quote_micros[has_job],
            "charge_micros": record.charge_micros[has_job],
        }
        ids = record.call_id[has_job]
        yield compare_in_order("jobs", ids, found, wanted)
        hashes = [call["answer_hash"] for call in self._of_calls.values()]
        answers = [int.from_bytes(row.tobytes(), "big") for row in record.answer_hash[has_job]]
        other = [
            at for at, pair in enumerate(zip(hashes, answers, strict=False)) if len({*pair}) > 1
        ]
        words = [f"call {ids[at]}: its job delivers another answer" for at in other[:5]]
        yield Compared((), (), tuple(ids[np.array(other, np.int64)].tolist()), words)

    def _calls_on_chain(self) -> int:
        return len(self._of_calls) + int(self._record.unpaid.sum())
