"""The audits of ``transfer``, ``x402-exact`` and ``channel``: payments in, splits out."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sim.chain.audits.books import SPLITTER
from sim.chain.audits.events import Seen, Source
from sim.chain.audits.order import Compared, compare_in_order, not_the_same
from sim.chain.audits.walk import WalletAudit
from sim.chain.deployment import Deployment
from sim.chain.local.fixed import PLACES
from sim.chain.rails.channel import channel_salt
from sim.chain.rails.exact import payment_nonce
from sim.chain.rpc import Rpc
from sim.chain.settlement import AuditRecord
from sim.rails import due


class Payment(NamedTuple):
    """What an agent paid to the hub, and by which nonce; -1 if by none."""

    nonce: int
    agent: int
    micros: int


class HubAudit(WalletAudit):
    """What a CallHub split: a model and a charge per call, in order."""

    counter = "callCount"

    def __init__(self, rpc: Rpc, deployment: Deployment, record: AuditRecord) -> None:
        super().__init__(rpc, deployment, record)
        self._calls: dict[str, list[int]] = {"model": [], "charge_micros": []}

    def _splitter(self) -> Source:
        return Source("CallHub", self._deployment.call_hub, ("CallPaid", *SPLITTER))

    def _apply(self, seen: Seen) -> None:
        if seen.name == "CallPaid":
            (_, model), (charge, fee) = seen.indexed, seen.values
            self._books.earn(model, charge, fee)
            if self._of_run:
                self._calls["model"].append(self._books.model_at.get(model, -1))
                self._calls["charge_micros"].append(charge)
        else:
            self._pay(seen)

    @abstractmethod
    def _pay(self, seen: Seen) -> None:
        """Applies an event of what was paid to the hub."""

    def _paid_by(self, transfer: Seen) -> int | None:
        """Which agent paid the hub in the run; None if none did: anybody may give it money."""
        source, target = transfer.indexed
        if not self._of_run or target != int(self._deployment.call_hub, 16):
            return None
        return self._books.agent_at.get(source)

    def _compare(self) -> Iterator[Compared]:
        record = self._record
        needed = {"model": record.model, "charge_micros": record.charge_micros}
        yield compare_in_order("calls", record.call_id, self._calls, needed)
        yield self._compare_payments()

    @abstractmethod
    def _compare_payments(self) -> Compared:
        """What was paid to the hub, against what the calls were charged."""

    def _calls_on_chain(self) -> int:
        return len(self._calls["model"])


class TransferAudit(HubAudit):
    """``transfer``: an agent and an amount per call that was charged, in order."""

    def __init__(self, rpc: Rpc, deployment: Deployment, record: AuditRecord) -> None:
        super().__init__(rpc, deployment, record)
        self._payments: dict[str, list[int]] = {"agent": [], "micros paid": []}

    def _pay(self, seen: Seen) -> None:
        if seen.name == "Transfer" and (agent := self._paid_by(seen)) is not None:
            self._payments["agent"].append(agent)
            self._payments["micros paid"].append(seen.values[0])

    def _compare_payments(self) -> Compared:
        record, charged = self._record, self._record.charge_micros > 0
        needed = {"agent": record.agent, "micros paid": record.charge_micros}
        columns = {name: column[charged] for name, column in needed.items()}
        return compare_in_order("payments", record.call_id[charged], self._payments, columns)


class X402ExactAudit(HubAudit):
    """``x402-exact``: a payment per call that was charged; its nonce says which call it is for."""

    def __init__(self, rpc: Rpc, deployment: Deployment, record: AuditRecord) -> None:
        super().__init__(rpc, deployment, record)
        self._payments: list[Payment] = []
        self._used: Seen | None = None

    def _token_events(self) -> tuple[str, ...]:
        return (*super()._token_events(), "AuthorizationUsed")

    def _pay(self, seen: Seen) -> None:
        if seen.name == "AuthorizationUsed":
            self._used = seen
            return
        used, self._used = self._used, None
        if (agent := self._paid_by(seen)) is not None:
            authorized = used is not None and used.transaction == seen.transaction
            nonce = used.indexed[1] if used is not None and authorized else -1
            self._payments.append(Payment(nonce, agent, seen.values[0]))

    def _compare_payments(self) -> Compared:
        record, nonces = self._record, self._nonces()
        of_call: dict[int, Payment] = {}
        others = []
        for number, payment in enumerate(self._payments):
            at = nonces.get(payment.nonce, -1)
            if at < 0 or at in of_call:
                others.append(number)
            else:
                of_call[at] = payment
        paid = np.array(sorted(of_call), np.int64)
        found = {
            "agent": [of_call[at].agent for at in paid.tolist()],
            "micros paid": [of_call[at].micros for at in paid.tolist()],
        }
        needed = {"agent": record.agent[paid], "micros paid": record.charge_micros[paid]}
        result = compare_in_order("payments", record.call_id[paid], found, needed)
        missing = record.call_id[sorted(set(nonces.values()) - set(of_call))].tolist()
        return result._replace(
            missing=tuple(missing),
            unexpected=tuple(others),
            words=[*result.words, *not_the_same("payments", missing, len(others))],
        )

    def _nonces(self) -> dict[int, int]:
        """The nonces by which calls are paid, and the position of each one's call."""
        record = self._record
        return {
            int.from_bytes(
                payment_nonce(record.first_call + at, record.answer_hash[at].tobytes()), "big"
            ): at
            for at in np.flatnonzero(record.charge_micros).tolist()
        }


class ChannelAudit(HubAudit):
    """``channel``: what was claimed of each channel is what its pair's calls were charged."""

    def __init__(self, rpc: Rpc, deployment: Deployment, record: AuditRecord) -> None:
        super().__init__(rpc, deployment, record)
        self._pair_of: dict[int, tuple[int, int]] = {}
        self._claimed: defaultdict[tuple[int, int], int] = defaultdict(int)

    def _others(self) -> tuple[Source, ...]:
        names = ("ChannelCreated", "Deposited", "Claimed", "Refunded", "WithdrawFinalized")
        return (Source("VoucherChannels", PLACES["VoucherChannels"], names),)

    def _pay(self, seen: Seen) -> None:
        if seen.source == "USDC":
            return
        channel = seen.indexed[0]
        if seen.name == "ChannelCreated":
            payer, _, receiver, *_, salt = seen.values
            agent = self._books.agent_at.get(payer, -1)
            if receiver == int(self._deployment.call_hub, 16) and agent >= 0:
                self._pair_of[channel] = (agent, salt)
        if channel not in self._pair_of or seen.name == "ChannelCreated":
            return
        pair, micros = self._pair_of[channel], seen.values[0]
        self._books.held[pair[0]] += micros if seen.name == "Deposited" else -micros
        if seen.name == "Claimed" and self._of_run:
            self._claimed[pair] += micros

    def _compare_payments(self) -> Compared:
        record = self._record
        needed = {
            (agent, int.from_bytes(channel_salt(record.first_call, model), "big")): micros
            for (agent, model), micros in due(
                record.agent, record.model, record.charge_micros
            ).items()
        }
        words = [
            f"channel of agent {agent}: {self._claimed.get((agent, salt), 0)} micros were claimed, "
            f"its calls come to {needed.get((agent, salt), 0)}"
            for agent, salt in sorted({*needed, *self._claimed})
            if needed.get((agent, salt), 0) != self._claimed.get((agent, salt), 0)
        ]
        return Compared((), (), (), words)
