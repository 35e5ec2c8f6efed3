"""``escrow-job`` on a JobEscrow: every call is opened, delivered and released.

Jobs are opened in a block of their own, because their ids are only known from its events: a job
that could not be opened shifts all that follow it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sim.chain.accounts import AccountKind, accounts
from sim.chain.answers import Block, Log, as_list, as_object, as_text
from sim.chain.contracts import contract, integer, integers
from sim.chain.rails.parts import Landed, Order, Paid, Part, Way, cuts, refused_part
from sim.chain.rpc import RefusedError
from sim.chain.sender import Transaction
from sim.chain.settlement import SettledBatch
from sim.chain.signing import word, words_of
from sim.facts import Batch, ChainError
from sim.units import US_PER_S, Int64Array, shares_floor

JOBS_PER_BLOCK = 1_000
BLOCKS_PER_LOOK = 50
OPEN_GAS, DELIVER_GAS, RELEASE_GAS = 250_000, 120_000, 200_000


class Try(NamedTuple):
    """A transaction that was to open a job, whether it did or not, and its block."""

    transaction: str
    block: int


class EscrowJobRail:
    """``escrow-job``: agents open, models deliver, the router releases.

    A job ends by itself ``lifetime_s`` after the latest time at which it can be opened.
    """

    def __init__(self, way: Way, lifetime_s: int, block_time_us: int) -> None:
        self._way, self._place = way, way.deployment.job_escrow
        self._contract = contract("JobEscrow")
        self._opened, self._released = (self._contract.topic(n) for n in ("Opened", "Released"))
        view = way.blocks.rpc.view(self._place, self._contract.call("jobCount"))
        self.first_call = self._next = integer(view)
        self._lifetime_s, self._block_time_us = lifetime_s, block_time_us
        self._last = way.blocks.rpc.block().timestamp
        self._tries: list[Try] = []
        self._opened_before: dict[str, Log] = {}
        self._ended_before: dict[int, Log] = {}
        self._models = accounts(AccountKind.MODEL, len(way.funded.model_ids))

    def parts(self, batch: Batch) -> Iterator[Part]:
        """As `ChainRail.parts`: each call's job, opened by its agent with its quote as budget."""
        wallets, selector = self._way.wallets, self._contract.selector("open")
        assert wallets is not None
        for piece in cuts(batch, JOBS_PER_BLOCK):
            signed, ends = [], self._opened_by(piece) + self._lifetime_s
            rows = (piece.agent, piece.model, piece.quote_micros, piece.intent)
            for agent, model, quote, intent in zip(*(r.tolist() for r in rows), strict=True):
                terms = (self._models[model].address, quote, ends, intent)
                data = selector + words_of(terms)
                signed.append(wallets.prepare(agent, self._place, data, OPEN_GAS))
            yield Part(self._next, piece, tuple(signed))
            self._next += len(piece)

    def _opened_by(self, piece: Batch) -> int:
        """The latest time, in unix seconds, of the block that opens these jobs.

        They are signed before the blocks before it are mined: each is a second after another at the
        least, and the jobs of each part take two.
        """
        closed_s = -((piece.closed_us + self._block_time_us) // -US_PER_S)
        opened = max((self._way.blocks.zero_unix or 0) + closed_s, self._last + 1)
        self._last = opened + 1
        return opened

    def resume(self, first_call: int, first_block: int) -> int:
        """As `ChainRail.resume`: every call was tried to be opened once; some may be open still."""
        opened = self._way.seen(self._place, [self._opened], first_block)
        ended = self._way.seen(self._place, [self._released], first_block)
        self._opened_before = {log.transaction: log for log in opened}
        self._ended_before = {_job(log): log for log in ended}
        self._tries = list(self._tried(first_block))
        self.first_call, self._next = first_call, first_call + len(self._tries)
        return len(self._tries)

    def _tried(self, first_block: int) -> Iterator[Try]:
        """Every transaction that was to open a job, from a block on."""
        rpc, selector = self._way.blocks.rpc, "0x" + self._contract.selector("open").hex()
        last = rpc.quantity("eth_blockNumber")
        for start in range(first_block, last + 1, BLOCKS_PER_LOOK):
            numbers = range(start, min(last + 1, start + BLOCKS_PER_LOOK))
            blocks = rpc.batch([("eth_getBlockByNumber", [hex(one), True]) for one in numbers])
            for number, block in zip(numbers, blocks, strict=True):
                for sent in map(as_object, as_list(as_object(block).get("transactions"))):
                    to, data = as_text(sent.get("to") or ""), as_text(sent.get("input"))
                    if to.lower() == self._place.lower() and data.startswith(selector):
                        yield Try(as_text(sent.get("hash")), number)

    def landed(self, batch: Batch) -> list[SettledBatch]:
        """As `ChainRail.landed`: jobs that are open still are delivered and released now."""
        part = Part(self.first_call + batch.first, batch)
        tries = self._tries[batch.first : batch.first + len(batch)]
        opened = [self._opened_before.get(one.transaction) for one in tries]
        jobs = np.array([-1 if log is None else _job(log) for log in opened], np.int64)
        budgets = [integers(log.data)[0] for log in opened if log is not None]
        if budgets != batch.quote_micros[jobs >= 0].tolist():
            raise ChainError(f"{part}: the chain has jobs of other budgets than its calls have")
        still = np.where(np.isin(jobs, list(self._ended_before)), -1, jobs)
        logs = [self._ended_before[job] for job in jobs[(still < 0) & (jobs >= 0)].tolist()]
        numbers = dict.fromkeys([one.block for one in tries] + [log.block for log in logs])
        blocks = tuple(map(self._way.blocks.rpc.block, numbers))
        if (still >= 0).any():
            last = self._mine(part, *self._ends(part, still), 0, self._released)
            logs, blocks = [*logs, *last.logs], (*blocks, *last.blocks)
        sent = tuple(name for block in blocks for name in block.transactions)
        landed = Landed(sent, blocks, tuple(sorted(logs, key=_job)))
        return [self._row(part, landed, jobs, _nothing(tries[-1]))]

    def settle(self, parts: Sequence[Part], seconds: int) -> tuple[list[SettledBatch], Block]:
        """As `ChainRail.settle`: a call whose job cannot be opened is unpaid, and has none."""
        settled = [self._settle(part, seconds) for part in parts]
        return [row for row, _ in settled], settled[-1][1]

    def _settle(self, part: Part, seconds: int) -> tuple[SettledBatch, Block]:
        opened = self._mine(part, part.signed, (), seconds, self._opened)
        jobs = self._jobs(part, opened)
        delivered, releases = self._ends(part, jobs)
        ended = self._mine(part, delivered, releases, seconds, self._released)
        found = {_job(log): log for log in ended.logs}
        mine = [found.get(job) for job in jobs[jobs >= 0].tolist()]
        logs = [log for log in mine if log is not None]
        if len(logs) < len(mine):
            raise refused_part(part, self._way.why(releases, self._contract))
        landed = Landed((*opened.sent, *ended.sent), (*opened.blocks, *ended.blocks), tuple(logs))
        nothing = _nothing(Try(opened.sent[-1], opened.blocks[-1].number))
        return self._row(part, landed, jobs, nothing), landed.blocks[-1]

    def _row(self, part: Part, landed: Landed, jobs: Int64Array, nothing: Log) -> SettledBatch:
        """What is told of a part; ``nothing`` says where it ended if no job could be opened."""
        charged = np.where(jobs >= 0, part.batch.charge_micros, 0)
        fees = shares_floor(charged, self._way.deployment.fee_bps)
        found = np.array([integers(log.data)[:2] for log in landed.logs], np.int64).reshape(-1, 2)
        if not np.array_equal(found, np.stack([charged, fees], axis=1)[jobs >= 0]):
            raise ChainError(f"{part}: {found.sum(axis=0).tolist()} micros were released")
        unpaid = tuple((part.first + np.flatnonzero(jobs < 0)).tolist())
        paid = Paid(int(charged.sum()), int(fees.sum()), len(landed.sent), "", unpaid)
        last = landed.logs[-1] if landed.logs else nothing
        return self._way.row(part, landed, last, paid, self._way.gas_of(landed))

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
        ids = {log.transaction: _job(log) for log in opened.logs}
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


def _job(log: Log) -> int:
    """The job that an event is of."""
    return int.from_bytes(log.topics[1], "big")


def _nothing(tried: Try) -> Log:
    """Where a part ended of which no job could be opened."""
    return Log(tried.block, 0, tried.transaction, (), b"")
