"""``transfer`` and ``x402-exact``: a payment per call to a CallHub, which then splits them.

Payments and their split share a block. A payment that fails, because its payer has been emptied,
makes the split fail with it: then the calls that were paid for are split alone, the others at no
charge.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from sim.chain.accounts import TOKEN_DOMAIN, AccountKind, account
from sim.chain.answers import Block, Log
from sim.chain.contracts import contract, integer, integers
from sim.chain.merkle import WORD, keccak, words
from sim.chain.pack import GAS_LIMIT
from sim.chain.rails.parts import Landed, Order, Paid, Part, Way, cuts, refused_part, unpaid_ids
from sim.chain.rpc import RefusedError
from sim.chain.sender import Transaction
from sim.chain.settlement import SettledBatch
from sim.chain.signing import domain_separator, typed_signature, word, words_of
from sim.facts import Batch, ChainError
from sim.units import Int64Array, shares_floor

CALLS_PER_SPLIT = 1_000
PAYMENT_GAS = 200_000
SPLIT_GAS_FIXED, SPLIT_GAS_PER_CALL = 200_000, 30_000  # a model's first call opens its slot
FOREVER = 2**64 - 1
AUTHORIZATION_TYPE = keccak(
    b"TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,"
    b"uint256 validBefore,bytes32 nonce)"
)


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
        self._unsplit: list[tuple[int, int]] = []
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
        self._unsplit = self._came_in(first_block)
        return self._hub.resume(first_call, first_block)

    def landed(self, batch: Batch) -> list[SettledBatch]:
        """As `ChainRail.landed`: by the events of the calls."""
        return self._hub.landed(batch)

    def _came_in(self, first_block: int) -> list[tuple[int, int]]:
        """What was paid to the hub since its last split: (payer, micros) in order."""
        hub, token = self._hub, contract("USDC")
        splits = self._way.seen(hub.place, [hub.topic], first_block)
        since = splits[-1].block + 1 if splits else first_block
        found = []
        for log in self._way.seen(self._way.deployment.usdc, [token.topic("Transfer")], since):
            source, target = (int.from_bytes(topic, "big") for topic in log.topics[1:])
            if target == int(hub.place, 16):
                found.append((source, integers(log.data)[0]))
        return found

    def _due(self, part: Part) -> list[int]:
        """Which of a part's calls are to be paid: charged, and not paid before a resumption."""
        due = []
        for at in np.flatnonzero(part.batch.charge_micros).tolist():
            if self._unsplit:
                payer = int(self._payers[int(part.batch.agent[at])].address, 16)
                paid = (payer, int(part.batch.charge_micros[at]))
                if paid in self._unsplit:
                    self._unsplit.remove(paid)
                    continue
            due.append(at)
        return due

    def _settle(self, part: Part, seconds: int) -> tuple[SettledBatch, Block]:
        charged = part.batch.charge_micros
        landed = self._mine(
            part, part.signed, [*part.orders, self._hub.split(part, charged)], seconds
        )
        if not self._hub.logs(part, landed):
            charged = self._paid(part, landed)
            split = self._hub.split(part, charged)
            again = self._mine(part, (), [split], seconds)
            if not self._hub.logs(part, again):
                raise refused_part(part, self._way.why([split], self._hub.contract))
            blocks = (*landed.blocks, *again.blocks)
            landed = Landed((*landed.sent, *again.sent), blocks, again.logs)
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
        receipts = self._way.blocks.rpc.receipts(landed.sent[: len(part.paying)])
        charged = part.batch.charge_micros.copy()
        charged[[at for at, one in zip(part.paying, receipts, strict=True) if not one.ok]] = 0
        return charged

    @abstractmethod
    def _pay(self, part: Part) -> Part:
        """The part with a payment for each charged call, sent by its agent or the router."""


class TransferRail(HubRail):
    """``transfer``: agents send plain transfers."""

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


class X402ExactRail(HubRail):
    """``x402-exact``: agents sign authorizations, which the router submits."""

    def __init__(self, way: Way) -> None:
        super().__init__(way)
        deployment = way.deployment
        self._domain = domain_separator(*TOKEN_DOMAIN, deployment.chain_id, deployment.usdc)

    def _pay(self, part: Part) -> Part:
        token, hub, batch = self._way.deployment.usdc, self._hub.place, part.batch
        selector = contract("USDC").selector("transferWithAuthorization")
        orders = []
        for at in part.paying:
            payer = self._payers[int(batch.agent[at])]
            nonce = payment_nonce(part.first + at, batch.answer_hash[at].tobytes())
            terms = (payer.address, hub, int(batch.charge_micros[at]), 0, FOREVER, nonce)
            signature = typed_signature(payer.key, self._domain, AUTHORIZATION_TYPE, terms)
            orders.append(Order(token, selector + words_of((*terms, *signature)), PAYMENT_GAS))
        return replace(part, orders=tuple(orders))


def payment_nonce(call_id: int, answer_hash: bytes) -> bytes:
    """The nonce of the authorization that pays a call: which call, by the chain's id and hash."""
    return keccak(word(call_id) + answer_hash)
