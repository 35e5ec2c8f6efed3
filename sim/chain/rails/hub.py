"""Rails of one payment per call to a CallHub, which then splits them; ``transfer`` is one.

A hub tells no payer's money from another's: its split fails only if less has come in than is to be
split in all. So payments and their split share a block only where nothing else can be in the hub:
there a payment that fails, because its payer has been emptied, makes the split fail with it.
Everywhere else the payments come first, and what has come of each says what is split. Either way
the calls that were paid for are split alone, the others at no charge.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from sim.chain.accounts import AccountKind, account
from sim.chain.answers import Block, Log
from sim.chain.contracts import contract, integer, integers
from sim.chain.merkle import WORD, words
from sim.chain.pack import GAS_LIMIT
from sim.chain.rails.parts import Landed, Order, Paid, Part, Way, cuts, refused_part, unpaid_ids
from sim.chain.rpc import RefusedError
from sim.chain.sender import Transaction
from sim.chain.settlement import SettledBatch
from sim.chain.signing import word, words_of
from sim.facts import Batch, ChainError
from sim.units import Int64Array, shares_floor

CALLS_PER_SPLIT = 1_000
PAYMENT_GAS = 200_000
SPLIT_GAS_FIXED, SPLIT_GAS_PER_CALL = 200_000, 30_000  # a model's first call opens its slot
FOREVER = 2**64 - 1


class Hub:
    """A CallHub as its rails see it: how many calls it has split, and how to split more."""

    def __init__(self, way: Way) -> None:
        self.way, self.place = way, way.deployment.call_hub
        self.contract = contract("CallHub")
        self.topic = self.contract.topic("CallPaid")
        view = way.blocks.rpc.view(self.place, self.contract.call("callCount"))
        self.first_call = integer(view)
        self._before: list[Log] = []
        owners = [account(AccountKind.MODEL, at) for at in range(len(way.funded.model_ids))]
        self._models = np.stack([np.frombuffer(word(one.address), np.uint8) for one in owners])

    def resume(self, first_call: int, first_block: int) -> int:
        """Goes on with a run that began there; how many of its calls are split already."""
        count = self.first_call - first_call
        self.first_call = first_call
        self._before = self.way.seen(self.place, [self.topic], first_block)
        return count

    def landed(self, batch: Batch) -> list[SettledBatch]:
        """What was told of a batch that is split, or would have been."""
        part = Part(self.first_call + batch.first, batch)
        logs = self.logs(part, Landed((), (), tuple(self._before)))
        if len(logs) != len(part):
            raise ChainError(f"{part}: the chain has {len(logs)} of its calls")
        charged = np.array([integers(log.data)[0] for log in logs], np.int64)
        blocks = self.way.landed(logs).blocks
        sent = tuple(name for block in blocks for name in block.transactions)
        return [self.row(part, Landed(sent, blocks, tuple(logs)), charged)]

    def may_hold_more(self) -> bool:
        """Whether money may be there that no payment yet to be made has brought.

        On a node of somebody else's it can come at any time.
        """
        if not self.way.blocks.sender.on_own_chain:
            return True
        unsplit = self.way.blocks.rpc.view(self.place, self.contract.call("unsplit"), "pending")
        return integer(unsplit) > 0

    def split_in(self, call_id: int) -> int:
        """The block in which a call of the run so far was split; 0 for none."""
        for log in reversed(self._before):
            if int.from_bytes(log.topics[1], "big") == call_id:
                return log.block
        return 0

    def split(self, part: Part, charged: Int64Array) -> Order:
        """The ``split`` of a part's calls, given what each is charged."""
        count = len(part)
        head = words_of((part.first, 3 * WORD, (4 + count) * WORD, count))
        models = self._models[part.batch.model].tobytes()
        data = head + models + word(count) + words(charged).tobytes()
        selector = self.contract.selector("split")
        gas = min(GAS_LIMIT, SPLIT_GAS_FIXED + count * SPLIT_GAS_PER_CALL)
        return Order(self.place, selector + data, gas)

    def logs(self, part: Part, landed: Landed) -> list[Log]:
        """The events of a part's calls, one each in order; none if the split failed."""
        first, stop = part.first, part.first + len(part)
        return [log for log in landed.logs if first <= int.from_bytes(log.topics[1], "big") < stop]

    def row(self, part: Part, landed: Landed, charged: Int64Array) -> SettledBatch:
        """What is told of a part that is split; raises `ChainError` if it was split otherwise."""
        logs = self.logs(part, landed)
        found = np.array([integers(log.data) for log in logs], np.int64).reshape(-1, 2)
        fees = shares_floor(charged, self.way.deployment.fee_bps)
        if not np.array_equal(found, np.stack([charged, fees], axis=1)):
            raise ChainError(f"{part}: the hub split it as {found.sum(axis=0).tolist()} micros")
        paid = Paid(
            int(charged.sum()), int(fees.sum()), len(landed.sent), "", unpaid_ids(part, charged)
        )
        return self.way.row(part, landed, logs[-1], paid, self.way.gas_of(landed))


class HubRail(ABC):
    """What the rails of one payment per call share: payments, then their split."""

    def __init__(self, way: Way) -> None:
        self._way, self._hub = way, Hub(way)
        self._payers = [account(AccountKind.AGENT, at) for at in range(len(way.funded.agent_ids))]
        self.first_call = self._next = self._hub.first_call

    def parts(self, batch: Batch) -> Iterator[Part]:
        """As `ChainRail.parts`: a payment for every call that is charged."""
        for piece in cuts(batch, CALLS_PER_SPLIT):
            part = Part(self._next, piece)
            yield self._pay(replace(part, paying=tuple(self._due(part))))
            self._next += len(piece)

    def settle(self, parts: Sequence[Part], seconds: int) -> tuple[list[SettledBatch], Block]:
        """As `ChainRail.settle`: a call whose payment fails is unpaid, at no charge."""
        settled = [self._settle(part, seconds) for part in parts]
        return [row for row, _ in settled], settled[-1][1]

    def resume(self, first_call: int, first_block: int) -> int:
        """As `ChainRail.resume`: payments that came in and were not split are not made again."""
        self.first_call = first_call
        self._look_back(first_block)
        return self._hub.resume(first_call, first_block)

    def landed(self, batch: Batch) -> list[SettledBatch]:
        """As `ChainRail.landed`: by the events of the calls."""
        return self._hub.landed(batch)

    @abstractmethod
    def _look_back(self, first_block: int) -> None:
        """Looks what has been paid to the hub in a run that began there, to go on with it."""

    @abstractmethod
    def _has_come(self, part: Part, at: int) -> bool:
        """Whether a call of a part was paid before a resumption; a payment is for one call."""

    def _due(self, part: Part) -> Iterator[int]:
        """Which of a part's calls are to be paid: charged, and not paid before a resumption."""
        for at in np.flatnonzero(part.batch.charge_micros).tolist():
            if not self._has_come(part, at):
                yield at

    def _payer(self, part: Part, at: int) -> int:
        return int(self._payers[int(part.batch.agent[at])].address, 16)

    def _settle(self, part: Part, seconds: int) -> tuple[SettledBatch, Block]:
        charged = part.batch.charge_micros
        together = not part.paying or not self._hub.may_hold_more()
        splits = [self._hub.split(part, charged)] if together else []
        landed = self._mine(part, part.signed, [*part.orders, *splits], seconds)
        if not self._hub.logs(part, landed):
            charged = self._paid(part, landed)
            split = self._hub.split(part, charged)
            again = self._mine(part, (), [split], seconds)
            if not self._hub.logs(part, again):
                raise refused_part(part, self._way.why([split], self._hub.contract))
            landed = landed.then(again)
        return self._hub.row(part, landed, charged), landed.blocks[-1]

    def _mine(
        self, part: Part, signed: Sequence[Transaction], orders: Sequence[Order], seconds: int
    ) -> Landed:
        try:
            return self._way.mine(signed, orders, seconds, self._hub.place, [self._hub.topic])
        except RefusedError as refused:
            raise refused_part(part, self._hub.contract.why(refused)) from None

    def _paid(self, part: Part, landed: Landed) -> Int64Array:
        """What each call is charged: nothing where its payment failed."""
        arrived = self._arrived(part, landed)
        charged = part.batch.charge_micros.copy()
        charged[[at for at, came in zip(part.paying, arrived, strict=True) if not came]] = 0
        return charged

    @abstractmethod
    def _arrived(self, part: Part, landed: Landed) -> list[bool]:
        """Which of a part's payments have come in."""

    @abstractmethod
    def _pay(self, part: Part) -> Part:
        """The part with a payment for each charged call, sent by its agent or the router."""


class TransferRail(HubRail):
    """``transfer``: agents send plain transfers."""

    def __init__(self, way: Way) -> None:
        super().__init__(way)
        self._unsplit: list[tuple[int, int]] = []

    def _look_back(self, first_block: int) -> None:
        """As in any rail on a hub: who has paid how much since the last split."""
        hub, token = self._hub, contract("USDC")
        splits = self._way.seen(hub.place, [hub.topic], first_block)
        since = splits[-1].block + 1 if splits else first_block
        for log in self._way.seen(self._way.deployment.usdc, [token.topic("Transfer")], since):
            source, target = (int.from_bytes(topic, "big") for topic in log.topics[1:])
            if target == int(hub.place, 16):
                self._unsplit.append((source, integers(log.data)[0]))

    def _has_come(self, part: Part, at: int) -> bool:
        paid = (self._payer(part, at), int(part.batch.charge_micros[at]))
        came = paid in self._unsplit
        if came:
            self._unsplit.remove(paid)
        return came

    def _arrived(self, part: Part, landed: Landed) -> list[bool]:
        receipts = self._way.blocks.rpc.receipts(landed.sent[: len(part.paying)])
        return [receipt.ok for receipt in receipts]

    def _pay(self, part: Part) -> Part:
        wallets, token = self._way.wallets, self._way.deployment.usdc
        assert wallets is not None
        head = contract("USDC").selector("transfer") + word(self._hub.place)
        agents, charges = part.batch.agent.tolist(), part.batch.charge_micros.tolist()
        signed = (
            wallets.prepare(agents[at], token, head + word(charges[at]), PAYMENT_GAS)
            for at in part.paying
        )
        return replace(part, signed=tuple(signed))
