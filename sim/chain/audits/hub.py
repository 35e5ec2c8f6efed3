"""The audits of ``transfer``, ``x402-exact`` and ``channel``: payments in, splits out."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from sim.chain.audits.books import SPLITTER
from sim.chain.audits.events import Seen, Source
from sim.chain.audits.order import Compared, compare_in_order
from sim.chain.audits.walk import WalletAudit
from sim.chain.deployment import Deployment
from sim.chain.local.fixed import PLACES
from sim.chain.rails.channel import channel_salt
from sim.chain.rails.hub import payment_nonce
from sim.chain.rpc import Rpc
from sim.chain.settlement import AuditRecord
from sim.rails import due


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
        hub = int(self._deployment.call_hub, 16)
        if seen.name == "Transfer" and self._of_run and seen.indexed[1] == hub:
            self._payments["agent"].append(self._books.agent_at.get(seen.indexed[0], -1))
            self._payments["micros paid"].append(seen.values[0])

    def _compare_payments(self) -> Compared:
        record, charged = self._record, self._record.charge_micros > 0
        needed = {"agent": record.agent, "micros paid": record.charge_micros}
        columns = {name: column[charged] for name, column in needed.items()}
        return compare_in_order("payments", record.call_id[charged], self._payments, columns)


class X402ExactAudit(TransferAudit):
    """``x402-exact``: the same, and each payment's nonce says which call it is for."""

    def __init__(self, rpc: Rpc, deployment: Deployment, record: AuditRecord) -> None:
        super().__init__(rpc, deployment, record)
        self._nonces: list[int] = []
        self._used = ("", 0)

    def _token_events(self) -> tuple[str, ...]:
        return (*super()._token_events(), "AuthorizationUsed")

    def _pay(self, seen: Seen) -> None:
        paid = len(self._payments["agent"])
        super()._pay(seen)
        if seen.name == "AuthorizationUsed":
            self._used = (seen.transaction, seen.indexed[1])
        elif len(self._payments["agent"]) > paid:
            transaction, nonce = self._used
            self._nonces.append(nonce if transaction == seen.transaction else -1)

    def _compare_payments(self) -> Compared:
        found, record = super()._compare_payments(), self._record
        charged = np.flatnonzero(record.charge_micros)
        answers = (record.answer_hash[at].tobytes() for at in charged)
        needed = [
            int.from_bytes(payment_nonce(record.first_call + int(at), answer), "big")
            for at, answer in zip(charged, answers, strict=True)
        ]
        other = [at for at, (a, b) in enumerate(zip(self._nonces, needed, strict=False)) if a != b]
        calls = record.call_id[charged]
        words = [f"call {calls[at]}: its payment names another call" for at in other[:5]]
        return found._replace(
            differing=(*found.differing, *calls[other].tolist()), words=[*found.words, *words]
        )


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
