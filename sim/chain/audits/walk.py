"""The audit of a rail whose money is in wallets: its history walked once, then all compared."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

import numpy as np

from sim.chain.audits.books import TRANSFERS, Balances, Books
from sim.chain.audits.events import Seen, Source, events
from sim.chain.audits.order import Compared
from sim.chain.deployment import Deployment
from sim.chain.rpc import Rpc
from sim.chain.settlement import Audit, AuditRecord
from sim.facts import ChainError
from sim.units import Int64Array

FAULTS_SHOWN = 20


class WalletAudit(ABC):
    """One audit; each rail says what its events mean, and compares its calls."""

    counter: str
    """The splitter's view that counts what it has settled."""

    def __init__(self, rpc: Rpc, deployment: Deployment, record: AuditRecord) -> None:
        self._rpc, self._deployment, self._record = rpc, deployment, record
        self._books = Books(deployment, self._splitter(), record)
        self._before: Balances | None = None
        self._after: Balances | None = None
        self._settling: dict[str, None] = {}
        self._faults: list[str] = []

    @abstractmethod
    def _splitter(self) -> Source:
        """The contract that splits charges, and its events."""

    def _others(self) -> tuple[Source, ...]:
        """More contracts whose events matter."""
        return ()

    @abstractmethod
    def _apply(self, seen: Seen) -> None:
        """Applies an event that is no claim of the splitter's; transfers are in the books."""

    @abstractmethod
    def _compare(self) -> Iterator[Compared]:
        """What the events of the run say of its calls, against the record."""

    def run(self) -> Audit:
        """Walks the history, then compares."""
        started, head = time.monotonic(), self._rpc.block()
        splitter = self._splitter()
        token = Source("USDC", self._deployment.usdc, self._token_events())
        sources = (token, splitter, *self._others())
        for seen in events(self._rpc, sources, self._deployment.deploy_block, head.number):
            self._mark(seen.block)
            self._take(seen, splitter.contract)
        self._mark(None)
        views, words = self._books.differences(self._rpc, self.counter)
        self._faults += words
        difference = views + self._compare_balances()
        compared = list(self._compare())
        for found in compared:
            self._faults += found.words
        names = list(self._settling)
        return Audit(
            parity=not self._faults,
            difference_micros=difference,
            calls_on_chain=self._calls_on_chain(),
            missing=_all(found.missing for found in compared),
            unexpected=_all(found.unexpected for found in compared),
            differing=_all(found.differing for found in compared),
            faults=tuple(self._faults[:FAULTS_SHOWN]),
            proofs=0,
            batches=len(names),
            gas_total=sum(receipt.gas_used for receipt in self._rpc.receipts(names)),
            head=head.hash,
            seconds=time.monotonic() - started,
        )

    @abstractmethod
    def _calls_on_chain(self) -> int:
        """How many of the run's calls the chain has."""

    def _token_events(self) -> tuple[str, ...]:
        return TRANSFERS

    def _take(self, seen: Seen, splitter: str) -> None:
        if seen.source == "USDC" and seen.name == "Transfer":
            self._books.move(seen)
            self._apply(seen)
        elif seen.source == splitter and seen.name in ("Claimed", "FeesClaimed"):
            self._books.pay_out(seen)
            return
        else:
            self._apply(seen)
        if self._of_run and not (seen.name == "Transfer" and seen.indexed[0] == 0):
            self._settling[seen.transaction] = None

    @property
    def _of_run(self) -> bool:
        """Whether what is walked now is the run's own."""
        return self._before is not None and self._after is None

    def _mark(self, block: int | None) -> None:
        """Notes the balances where the run begins and where it ends; None is the chain's end."""
        record = self._record
        if self._before is None and (block is None or block >= record.first_block):
            self._before = self._books.balances()
        over = block is None or (record.last_block is not None and block > record.last_block)
        if self._after is None and over:
            self._after = self._books.balances()

    def _compare_balances(self) -> int:
        """The sum of differences between the run's balances here and in the record, in micros."""
        before, after, record = self._before, self._after, self._record
        if before is None or after is None:
            raise ChainError("the audit has not walked the chain's history")
        fees = np.array([after.fees - before.fees]), np.array([record.fees_micros])
        sides: tuple[tuple[str, Int64Array, Int64Array], ...] = (
            ("balance of agent", after.agents - before.agents, record.agent_balance_micros),
            ("earnings of model", after.models - before.models, record.model_earned_micros),
            ("fees of treasury", *fees),
        )
        difference = 0
        for name, found, recorded in sides:
            difference += int(np.abs(found - recorded).sum())
            self._faults += [
                f"{name} {at}: {found[at]} micros on the chain, {recorded[at]} in the record"
                for at in np.flatnonzero(found != recorded)
            ]
        return difference


def _all(ids: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(sorted({call for some in ids for call in some}))
