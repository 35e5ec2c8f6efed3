"""The audit of ``batch`` and ``prepaid``: accounts rebuilt, calls compared, some of them proved."""

import time

import numpy as np

from sim.chain import merkle
from sim.chain.accounts import AccountKind, accounts
from sim.chain.audits.compare import Comparison
from sim.chain.contracts import contract, integer
from sim.chain.deployment import Deployment
from sim.chain.funding import vault_of
from sim.chain.history import SettledRecords, history
from sim.chain.proofs import SAMPLE, CallProof
from sim.chain.rebuild import Balances, Rebuilt
from sim.chain.rpc import Rpc
from sim.chain.settlement import Audit, AuditRecord
from sim.facts import ChainError
from sim.units import Int64Array, shares_floor

SAMPLE_SEED = 20_261_122
FAULTS_SHOWN = 20


class LedgerAudit:
    """The audit of ``batch`` and ``prepaid``: the history is walked once, batch by batch.

    Args:
        sample: how many calls to prove to the contract by their Merkle path.
    """

    def __init__(
        self, rpc: Rpc, deployment: Deployment, record: AuditRecord, sample: int = SAMPLE
    ) -> None:
        self._rpc, self._deployment, self._record = rpc, deployment, record
        self._ledger = contract("CallLedger")
        self._place = vault_of(deployment, record.rail).place
        self._rebuilt = Rebuilt(deployment.fee_bps)
        self._comparison = Comparison(record)
        self._before: Balances | None = None
        self._after: Balances | None = None
        self._run_ids: tuple[Int64Array, Int64Array] | None = None
        self._faults: list[str] = []
        self._roots: list[bytes] = []
        self._batches = self._gas = self._proofs = 0
        self._proved: list[CallProof] = []
        count = min(sample, len(record))
        random = np.random.default_rng(SAMPLE_SEED)
        chosen = random.permutation(len(record))[:count]
        self._sample = {record.first_call + int(position) for position in chosen}

    def run(self) -> Audit:
        """Walks the history, then compares."""
        started = time.monotonic()
        head = self._rpc.block()
        self._walk(head.number)
        self._mark(None)
        self._check_roots()
        views, words = self._rebuilt.differences(self._rpc, self._deployment, self._place)
        self._faults += words
        difference = views + self._compare_balances()
        self._faults += self._comparison.finish()
        found = self._comparison
        return Audit(
            parity=not self._faults,
            difference_micros=difference,
            calls_on_chain=found.calls_on_chain,
            missing=found.missing,
            unexpected=found.unexpected,
            differing=found.differing,
            faults=tuple(self._faults[:FAULTS_SHOWN]),
            proofs=self._proofs,
            batches=self._batches,
            gas_total=self._gas,
            head=head.hash,
            seconds=time.monotonic() - started,
            proved=tuple(self._proved),
        )

    def _walk(self, last: int) -> None:
        for event in history(self._rpc, self._deployment, last):
            self._mark(event.block)
            if isinstance(event, SettledRecords):
                self._settle(event)
            else:
                self._rebuilt.apply(event)

    def _mark(self, block: int | None) -> None:
        """Notes the balances where the run begins and where it ends; None is the chain's end."""
        record = self._record
        if self._before is None and (block is None or block >= record.first_block):
            self._before = self._rebuilt.balances()
        over = block is None or (record.last_block is not None and block > record.last_block)
        if self._after is None and over:
            self._after = self._rebuilt.balances()

    def _ids(self) -> tuple[Int64Array, Int64Array]:
        """The chain's account ids of the run's agents and models, 0 for one that has none."""
        known, record = self._rebuilt.ids, self._record
        buyers = accounts(AccountKind.AGENT, len(record.agent_balance_micros))
        sellers = accounts(AccountKind.MODEL, len(record.model_earned_micros))
        return (
            np.array([known.get(item.address, 0) for item in buyers], dtype=np.int64),
            np.array([known.get(item.address, 0) for item in sellers], dtype=np.int64),
        )

    def _settle(self, batch: SettledRecords) -> None:
        self._check(batch, self._rebuilt.settle(batch))

    def _check(self, batch: SettledRecords, charged: Int64Array) -> None:
        """Holds a batch against its own event, and its calls against the record."""
        records = batch.records
        leaves = merkle.leaves(
            batch.first,
            records.agent_ids,
            records.model_ids,
            records.heads,
            records.answers,
            charged,
        )
        root = merkle.root(leaves)
        self._roots.append(root)
        fees = int(shares_floor(charged, self._deployment.fee_bps).sum())
        found, needed = (batch.total_micros, batch.fees_micros), (int(charged.sum()), fees)
        if (batch.root, *found) != (root, *needed):
            self._faults.append(
                f"batch {batch.batch_id} of the chain: its event has total, fees and root "
                f"{found} 0x{batch.root.hex()}, its calldata implies {needed} 0x{root.hex()}"
            )
        if batch.first < self._record.first_call or self._after is not None:
            return
        self._batches += 1
        self._gas += batch.gas_used
        if self._run_ids is None:
            self._run_ids = self._ids()
        self._comparison.take(batch, charged, *self._run_ids)
        for position in range(batch.count):
            if batch.first + position in self._sample:
                self._prove(batch, leaves, position, int(charged[position]))

    def _prove(
        self, batch: SettledRecords, leaves: list[bytes], position: int, charged: int
    ) -> None:
        """Has the contract verify a call, and refuse the same call with one bit turned."""
        records = batch.records
        found = CallProof(
            batch=batch.batch_id,
            root=batch.root,
            call=batch.first + position,
            agent=int(records.agent_ids[position]),
            model=int(records.model_ids[position]),
            head=records.heads[position].tobytes(),
            answer_hash=records.answers[position].tobytes(),
            charged=charged,
            beside=tuple(merkle.proof(leaves, position)),
        )
        answer = found.answer_hash
        wrong = bytes([answer[0] ^ 1]) + answer[1:]
        ids, path = (found.batch, found.call, found.agent, found.model), list(found.beside)
        calls = [
            self._ledger.call("proveCall", *ids, found.head, claimed, charged, path)
            for claimed in (answer, wrong)
        ]
        right, mutated = self._rpc.views(self._place, calls)
        self._proofs += 1
        self._proved.append(found)
        if (integer(right), integer(mutated)) != (1, 0):
            self._faults.append(
                f"call {batch.first + position} of the chain: the contract says {integer(right)} "
                f"to its proof and {integer(mutated)} to a mutated one, needed 1 and 0"
            )

    def _check_roots(self) -> None:
        calls = [self._ledger.call("rootOf", number) for number in range(len(self._roots))]
        found = self._rpc.views(self._place, calls)
        for number, (root, needed) in enumerate(zip(found, self._roots, strict=True)):
            if root != needed:
                self._faults.append(
                    f"batch {number} of the chain: the contract keeps the root 0x{root.hex()}, "
                    f"its calldata implies 0x{needed.hex()}"
                )

    def _compare_balances(self) -> int:
        """The sum of differences between the run's balances here and in the record, in micros."""
        record, before, after = self._record, self._before, self._after
        if before is None or after is None:
            raise ChainError("the audit has not walked the chain's history")
        agent_ids, model_ids = self._run_ids or self._ids()
        found_fees = after.fees_micros - before.fees_micros
        needed = record.fees_micros
        difference = abs(found_fees - needed)
        if difference:
            self._faults.append(f"fees: {found_fees} on the chain, {needed} in the record")
        balances = after.balances_of(agent_ids) - before.balances_of(agent_ids)
        earned = after.earned_by(model_ids) - before.earned_by(model_ids)
        sides = (
            ("balance of agent", balances, record.agent_balance_micros),
            ("earnings of model", earned, record.model_earned_micros),
        )
        for name, found, recorded in sides:
            difference += int(np.abs(found - recorded).sum())
            for position in np.flatnonzero(found != recorded):
                self._faults.append(
                    f"{name} {position}: {found[position]} micros on the chain, "
                    f"{recorded[position]} in the record"
                )
        return difference
