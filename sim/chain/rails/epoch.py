"""``epoch-root`` on an EpochRoot: what everybody paid and earned in all, and a root over the calls.

The calls themselves stay with the router. A call that its agent cannot pay is a leaf that charges
nothing, as on a CallLedger, and is left out of the sums.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from eth_abi.abi import decode

from sim.chain import merkle
from sim.chain.answers import Block, Log, as_bytes, as_object
from sim.chain.contracts import SELECTOR_BYTES, contract, integer, integers
from sim.chain.pack import cut, record_table
from sim.chain.rails.parts import Order, Paid, Part, Way, refused_part, unpaid_ids
from sim.chain.rebuild import charged_in_order
from sim.chain.rpc import RefusedError
from sim.chain.settlement import SettledBatch
from sim.facts import Batch, ChainError
from sim.units import Int64Array, shares_floor

ACCOUNTS_PER_EPOCH = 1_500
ATTEMPTS = 3  # an agent may empty its account between a look at it and the block
EPOCH_GAS = 16_700_000


class EpochRootRail:
    """``epoch-root``: one ``settleEpoch``, as many accounts in one as fit into a transaction."""

    def __init__(self, way: Way) -> None:
        self._way, self._place = way, way.deployment.epoch_root
        self._contract = contract("EpochRoot")
        self._topic = self._contract.topic("BatchSettled")
        view = way.blocks.rpc.view(self._place, self._contract.call("callCount"))
        self.first_call = self._next = integer(view)
        self._before: dict[int, Log] = {}

    def parts(self, batch: Batch) -> Iterator[Part]:
        """As `ChainRail.parts`: all of it is the router's to send, when it knows who can pay."""
        start = 0
        while start < len(batch):
            stop = start + _fitting(batch, start)
            yield Part(self._next, cut(batch, slice(start, stop)))
            self._next += stop - start
            start = stop

    def settle(self, parts: Sequence[Part], seconds: int) -> tuple[list[SettledBatch], Block]:
        """As `ChainRail.settle`: an agent that cannot pay has its calls unpaid, at no charge."""
        settled = [self._settle(part, seconds) for part in parts]
        return [row for row, _ in settled], settled[-1][1]

    def resume(self, first_call: int, first_block: int) -> int:
        """As `ChainRail.resume`: an EpochRoot counts its calls."""
        logs = self._way.seen(self._place, [self._topic], first_block)
        self._before = {integers(log.data)[0]: log for log in logs}
        self.first_call = first_call
        return self._next - first_call

    def landed(self, batch: Batch) -> list[SettledBatch]:
        """As `ChainRail.landed`: who was unpaid follows from what each agent paid in all."""
        rows, start = [], 0
        while start < len(batch):
            first = self.first_call + batch.first + start
            log = self._before.get(first)
            if log is None:
                raise ChainError(f"no epoch of the chain begins with call {first}")
            _, count, root, total, fees = integers(log.data)
            part = Part(first, cut(batch, slice(start, start + count)))
            charged = self._was_charged(part, log)
            landed = self._way.landed([log])
            paid = Paid(total, fees, 1, f"0x{root:064x}", unpaid_ids(part, charged))
            rows.append(self._way.row(part, landed, log, paid, self._way.gas_of(landed)))
            start += count
        return rows

    def _was_charged(self, part: Part, log: Log) -> Int64Array:
        """What each call of an epoch was charged; raises `ChainError` unless its root says so.

        Calls are charged in order as far as money goes: by what an agent paid in all the same
        calls can be paid as by what it had.
        """
        batch = part.batch
        _, _, root, total, _ = integers(log.data)
        if total == int(batch.charge_micros.sum()):
            return batch.charge_micros
        (answer,) = self._way.blocks.rpc.batch([("eth_getTransactionByHash", [log.transaction])])
        paid = read_epoch(as_bytes(as_object(answer).get("input"))).debits
        agents = np.unique(batch.agent)
        spent = np.zeros(int(agents.max()) + 1, np.int64)
        spent[agents] = [paid.get(one, 0) for one in self._way.funded.agent_ids[agents].tolist()]
        _, most_price = self._limits(batch)
        charged = _charged(batch, spent, most_price)
        if merkle.root(self._leaves(part, charged)) != root.to_bytes(merkle.WORD, "big"):
            raise ChainError(f"{part}: the calls that its epoch's root was made of are not known")
        return charged

    def _settle(self, part: Part, seconds: int) -> tuple[SettledBatch, Block]:
        why = ""
        for _ in range(ATTEMPTS):
            charged = _charged(part.batch, *self._limits(part.batch))
            order = self._epoch(part, charged)
            try:
                landed = self._way.mine((), [order], seconds, self._place, [self._topic])
            except RefusedError as refused:
                raise refused_part(part, self._contract.why(refused)) from None
            found = [log for log in landed.logs if integers(log.data)[0] == part.first]
            if found:
                _, count, root, total, fees = integers(found[0].data)
                if (count, total) != (len(part), int(charged.sum())):
                    raise ChainError(f"{part}: {count} calls and {total} micros were settled")
                paid = Paid(total, fees, 1, f"0x{root:064x}", unpaid_ids(part, charged))
                row = self._way.row(part, landed, found[0], paid, self._way.gas_of(landed))
                return row, landed.blocks[-1]
            why = self._way.why([order], self._contract)
        raise refused_part(part, why)

    def _limits(self, batch: Batch) -> tuple[Int64Array, Int64Array]:
        """What each agent lets the router spend now, and for one call at most, in micros."""
        agents = np.unique(batch.agent)
        ids = self._way.funded.agent_ids[agents].tolist()
        rpc = self._way.blocks.rpc
        answers = rpc.views(self._place, [self._contract.call("account", one) for one in ids])
        now = rpc.block().timestamp
        spendable = np.zeros(int(agents.max(initial=0)) + 1, np.int64)
        most_price = np.zeros_like(spendable)
        for agent, answer in zip(agents.tolist(), answers, strict=True):
            balance, cap, price, deadline = integers(answer)
            spendable[agent] = min(balance, cap) if now <= deadline else 0
            most_price[agent] = price
        return spendable, most_price

    def _leaves(self, part: Part, charged: Int64Array) -> list[bytes]:
        ids, batch = self._way.funded, part.batch
        agents, models = ids.agent_ids[batch.agent], ids.model_ids[batch.model]
        return epoch_leaves(part.first, batch, agents, models, charged)

    def _epoch(self, part: Part, charged: Int64Array) -> Order:
        first, batch = part.first, part.batch
        ids, fee_bps = self._way.funded, self._way.deployment.fee_bps
        earned = charged - shares_floor(charged, fee_bps)
        agents, debits = _sums(ids.agent_ids[batch.agent], charged)
        models, earnings = _sums(ids.model_ids[batch.model], earned)
        root = merkle.root(self._leaves(part, charged))
        fields = (first, len(batch), root, agents, debits, models, earnings)
        return Order(self._place, self._contract.call("settleEpoch", fields), EPOCH_GAS)


@dataclass(frozen=True, slots=True)
class Epoch:
    """The arguments of a ``settleEpoch``: sums by account id, in micros."""

    first: int
    count: int
    debits: dict[int, int]
    credits: dict[int, int]


def read_epoch(calldata: bytes) -> Epoch:
    """The epoch that a calldata settles; raises `ChainError` if it is no ``settleEpoch``."""
    entry = contract("EpochRoot").functions["settleEpoch"]
    if not calldata.startswith(entry.key):
        raise ChainError("an epoch was settled by something other than settleEpoch")
    ((first, count, _, agents, debits, models, earned),) = decode(
        entry.inputs, calldata[SELECTOR_BYTES:]
    )
    sums = (dict(zip(*pair, strict=True)) for pair in ((agents, debits), (models, earned)))
    return Epoch(first, count, *sums)


def _charged(batch: Batch, spendable: Int64Array, most_price: Int64Array) -> Int64Array:
    """What each call is charged, given what each agent can spend, in all and for one call."""
    allowed = batch.quote_micros <= most_price[batch.agent]
    asked = np.where(allowed, batch.charge_micros, 0)
    return charged_in_order(batch.agent, asked, spendable)


def epoch_leaves(
    first: int, batch: Batch, agent_ids: Int64Array, model_ids: Int64Array, charged: Int64Array
) -> list[bytes]:
    """The leaves of an epoch's calls: a CallLedger's, with nothing where indices would stand.

    What a call asked for and was not paid is nowhere: the leaf is made again from the record alone.
    """
    none = np.zeros(len(batch), np.int64)
    table = record_table(replace(batch, charge_micros=charged), none, none, emit_events=False)
    heads, answers = table[:, : merkle.WORD], table[:, merkle.WORD :]
    return merkle.leaves(first, agent_ids, model_ids, heads, answers, charged)


def _sums(ids: Int64Array, micros: Int64Array) -> tuple[list[int], list[int]]:
    """Each account's sum, those without one left out."""
    accounts, at = np.unique(ids, return_inverse=True)
    sums = np.zeros(len(accounts), np.int64)
    np.add.at(sums, at, micros)
    return accounts[sums > 0].tolist(), sums[sums > 0].tolist()


def _fitting(batch: Batch, start: int) -> int:
    """How many calls from a position on name no more accounts than one transaction can."""
    new = np.zeros(len(batch) - start, np.int64)
    for column in (batch.agent[start:], batch.model[start:]):
        new[np.unique(column, return_index=True)[1]] += 1
    return int(np.searchsorted(np.cumsum(new), ACCOUNTS_PER_EPOCH, side="right"))
