"""``escrow-job`` on a JobEscrow: every call is opened, delivered and released.

Jobs are opened in a block of their own, because their ids are only known from its events: a job
that could not be opened shifts all that follow it.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from sim.chain.accounts import AccountKind, accounts
from sim.chain.answers import Block, Log
from sim.chain.contracts import contract, integer, integers
from sim.chain.funding import DEADLINE_UNIX
from sim.chain.rails.parts import Landed, Order, Paid, Part, Way, cuts, refused_part
from sim.chain.rpc import RefusedError
from sim.chain.sender import Transaction
from sim.chain.settlement import SettledBatch
from sim.chain.signing import word, words_of
from sim.facts import Batch, ChainError
from sim.units import Int64Array, shares_floor

JOBS_PER_BLOCK = 1_000
OPEN_GAS, DELIVER_GAS, RELEASE_GAS = 250_000, 120_000, 200_000


class EscrowJobRail:
    """``escrow-job``: agents open, models deliver, the router releases."""

    def __init__(self, way: Way) -> None:
        self._way, self._place = way, way.deployment.job_escrow
        self._contract = contract("JobEscrow")
        self._opened, self._released = (self._contract.topic(n) for n in ("Opened", "Released"))
        view = way.blocks.rpc.view(self._place, self._contract.call("jobCount"))
        self.first_call = self._next = integer(view)
        self._jobs_before: dict[int, Log] = {}
        self._ended_before: dict[int, Log] = {}
        self._models = accounts(AccountKind.MODEL, len(way.funded.model_ids))

    def parts(self, batch: Batch) -> Iterator[Part]:
        """As `ChainRail.parts`: each call's job, opened by its agent with its quote as budget."""
        wallets, selector = self._way.wallets, self._contract.selector("open")
        assert wallets is not None
        for piece in cuts(batch, JOBS_PER_BLOCK):
            signed = []
            rows = (piece.agent, piece.model, piece.quote_micros, piece.intent)
            for agent, model, quote, intent in zip(*(r.tolist() for r in rows), strict=True):
                terms = (self._models[model].address, quote, DEADLINE_UNIX, intent)
                data = selector + words_of(terms)
                signed.append(wallets.prepare(agent, self._place, data, OPEN_GAS))
            yield Part(self._next, piece, tuple(signed))
            self._next += len(piece)

    def resume(self, first_call: int, first_block: int) -> int:
        """As `ChainRail.resume`: an escrow counts its jobs; some may be open still."""
        opened = self._way.seen(self._place, [self._opened], first_block)
        ended = self._way.seen(self._place, [self._released], first_block)
        self._jobs_before = {int.from_bytes(log.topics[1], "big"): log for log in opened}
        self._ended_before = {int.from_bytes(log.topics[1], "big"): log for log in ended}
        self.first_call = first_call
        return self._next - first_call

    def landed(self, batch: Batch) -> list[SettledBatch]:
        """As `ChainRail.landed`: jobs that are open still are delivered and released now."""
        part = Part(self.first_call + batch.first, batch)
        jobs = np.arange(part.first, part.first + len(part))
        opened = [self._jobs_before[job] for job in jobs.tolist()]
        budgets = [integers(log.data)[0] for log in opened]
        if budgets != batch.quote_micros.tolist():
            raise ChainError(f"{part}: the chain does not say which of its calls have no job")
        still = np.where(np.isin(jobs, list(self._ended_before)), -1, jobs)
        logs = [self._ended_before[job] for job in jobs[still < 0].tolist()]
        landed = self._way.landed([*opened, *logs])
        if (still >= 0).any():
            last = self._mine(part, *self._ends(part, still), 0, self._released)
            landed = Landed(
                (*landed.sent, *last.sent), (*landed.blocks, *last.blocks), last.logs
            )  # fmt: skip
            logs += last.logs
        sent = tuple(name for block in landed.blocks for name in block.transactions)
        landed = Landed(sent, landed.blocks, tuple(logs))
        logs.sort(key=lambda log: log.topics[1])
        self._check(part, logs, batch.charge_micros)
        total, fees = int(batch.charge_micros.sum()), int(batch.fee_micros.sum())
        paid = Paid(total, fees, len(sent))
        return [self._way.row(part, landed, logs[-1], paid, self._way.gas_of(landed))]

    def settle(self, parts: Sequence[Part], seconds: int) -> tuple[list[SettledBatch], Block]:
        """As `ChainRail.settle`: a call whose job cannot be opened is unpaid, and has none."""
        settled = [self._settle(part, seconds) for part in parts]
        return [row for row, _ in settled], settled[-1][1]

    def _settle(self, part: Part, seconds: int) -> tuple[SettledBatch, Block]:
        opened = self._mine(part, part.signed, (), seconds, self._opened)
        jobs = self._jobs(part, opened)
        charged = np.where(jobs >= 0, part.batch.charge_micros, 0)
        delivered, releases = self._ends(part, jobs)
        ended = self._mine(part, delivered, releases, seconds, self._released)
        found = {int.from_bytes(log.topics[1], "big"): log for log in ended.logs}
        mine = [found.get(job) for job in jobs[jobs >= 0].tolist()]
        logs = [log for log in mine if log is not None]
        if len(logs) < len(mine):
            raise refused_part(part, self._way.why(releases, self._contract))
        self._check(part, logs, charged[jobs >= 0])
        landed = Landed(
            (*opened.sent, *ended.sent), (*opened.blocks, *ended.blocks), ended.logs
        )  # fmt: skip
        fees = shares_floor(charged, self._way.deployment.fee_bps)
        paid = Paid(
            int(charged.sum()), int(fees.sum()), len(landed.sent), "", self._unpaid(part, jobs)
        )
        last = logs[-1] if logs else _nothing(opened)
        return self._way.row(part, landed, last, paid, self._way.gas_of(landed)), landed.blocks[-1]

    def _mine(
        self, part: Part, signed: Sequence[Transaction], orders: Sequence[Order], seconds: int,
        topic: bytes,
    ) -> Landed:  # fmt: skip
        try:
            return self._way.mine(signed, orders, seconds, self._place, [topic])
        except RefusedError as refused:
            raise refused_part(part, self._contract.why(refused)) from None

    def _jobs(self, part: Part, opened: Landed) -> Int64Array:
        """The job of each call, -1 where its agent could not open one."""
        ids = {log.transaction: int.from_bytes(log.topics[1], "big") for log in opened.logs}
        return np.array([ids.get(item.hash, -1) for item in part.signed], np.int64)

    def _ends(self, part: Part, jobs: Int64Array) -> tuple[list[Transaction], list[Order]]:
        """What delivers and releases the jobs that are open."""
        wallets, agents = self._way.wallets, len(self._way.funded.agent_ids)
        assert wallets is not None
        deliver, release = (self._contract.selector(name) for name in ("deliver", "release"))
        signed, orders = [], []
        for at in np.flatnonzero(jobs >= 0).tolist():
            job, model = word(int(jobs[at])), agents + int(part.batch.model[at])
            data = deliver + job + part.batch.answer_hash[at].tobytes()
            signed.append(wallets.prepare(model, self._place, data, DELIVER_GAS))
            data = release + job + word(int(part.batch.charge_micros[at]))
            orders.append(Order(self._place, data, RELEASE_GAS))
        return signed, orders

    def _check(self, part: Part, logs: list[Log], charged: Int64Array) -> None:
        found = np.array([integers(log.data)[:2] for log in logs], np.int64).reshape(-1, 2)
        fees = shares_floor(charged, self._way.deployment.fee_bps)
        if not np.array_equal(found, np.stack([charged, fees], axis=1)):
            raise ChainError(f"{part}: {found.sum(axis=0).tolist()} micros were released")

    def _unpaid(self, part: Part, jobs: Int64Array) -> tuple[int, ...]:
        return tuple((part.first + np.flatnonzero(jobs < 0)).tolist())


def _nothing(opened: Landed) -> Log:
    """Where a part ended of which no job could be opened."""
    block = opened.blocks[-1]
    return Log(block.number, 0, opened.sent[-1], (), b"")
