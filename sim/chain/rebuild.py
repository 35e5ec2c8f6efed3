"""CallLedger's rules once more, in NumPy: every balance rebuilt from the chain's history alone."""

from dataclasses import dataclass

import numpy as np

from sim.chain.contracts import address, contract, integer, integers
from sim.chain.deployment import Deployment
from sim.chain.history import Event, SettledRecords
from sim.chain.rpc import Rpc
from sim.facts import ChainError
from sim.units import Int64Array, shares_floor

CAP_MAX = 2**62  # above any money: caps of 80 bits are cut to this, so that columns are int64
GROWTH = 1_024


@dataclass(frozen=True)
class Balances:
    """What everybody has at one time: columns by account id, and the fees, in micros.

    ``balance`` is what was paid in and not spent: what its owner has taken out since is in it.
    """

    balance: Int64Array
    earned: Int64Array
    fees_micros: int

    def balances_of(self, ids: Int64Array) -> Int64Array:
        """Balances by account id; zero for an account that is not there yet."""
        return _at(self.balance, ids)

    def earned_by(self, ids: Int64Array) -> Int64Array:
        """Earnings by account id; zero for an account that is not there yet."""
        return _at(self.earned, ids)


def _at(column: Int64Array, ids: Int64Array) -> Int64Array:
    there = ids < len(column)
    return np.where(there, column[np.where(there, ids, 0)], 0)


def _twice(column: Int64Array) -> Int64Array:
    """The column with as many zeros after it."""
    return np.concatenate((column, np.zeros_like(column)))


def charged_in_order(
    agent: Int64Array, asked_micros: Int64Array, spendable_micros: Int64Array
) -> Int64Array:
    """What each call is charged: what it asks, or nothing if its agent has less left by then.

    Args:
        spendable_micros: by agent, before the first call.
    """
    charged = asked_micros.copy()
    asked = np.zeros_like(spendable_micros)
    np.add.at(asked, agent, charged)
    for poor in np.flatnonzero(asked > spendable_micros):
        left = int(spendable_micros[poor])
        for position in np.flatnonzero(agent == poor):
            if charged[position] > left:
                charged[position] = 0
            left -= int(charged[position])
    return charged


class Rebuilt:
    """The state of a CallLedger as its history implies it; columns by account id, in micros."""

    def __init__(self, fee_bps: int) -> None:
        self._fee_bps = fee_bps
        self.ids: dict[str, int] = {}
        self.count = 0
        self.calls = 0
        self.batches = 0
        self.fees = 0
        self._fees_claimed = 0
        self._balance = np.zeros(GROWTH, dtype=np.int64)
        self._cap = np.zeros(GROWTH, dtype=np.int64)
        self._max_price = np.zeros(GROWTH, dtype=np.int64)
        self._deadline = np.zeros(GROWTH, dtype=np.int64)
        self._earned = np.zeros(GROWTH, dtype=np.int64)
        self._claimed = np.zeros(GROWTH, dtype=np.int64)
        self._requested = np.zeros(GROWTH, dtype=np.int64)
        self._withdrawn = np.zeros(GROWTH, dtype=np.int64)

    def balances(self) -> Balances:
        """A copy of what everybody has now."""
        return Balances(self._balance + self._withdrawn, self._earned.copy(), self.fees)

    def apply(self, event: Event) -> None:
        """Applies an event other than BatchSettled; raises `ChainError` if it cannot be."""
        match event.name, event.indexed, event.values:
            case "Registered", (number, owner), _:
                self._register(number, owner)
            case "Deposited", (number,), (amount,):
                self._balance[number] += amount
            case "MandateSet", (number,), (cap, max_price, deadline, _):
                self._cap[number] = min(cap, CAP_MAX)
                self._max_price[number] = max_price
                self._deadline[number] = deadline
            case "WithdrawRequested", (number,), (amount, _):
                self._requested[number] = amount
            case "Withdrawn", (number,), (amount,):
                self._balance[number] -= amount
                self._withdrawn[number] += amount
                self._requested[number] = 0
            case "Claimed", (number,), (amount,):
                self._claimed[number] += amount
            case "FeesClaimed", _, (amount,):
                self._fees_claimed += amount
            case _:
                raise ChainError(f"the event {event.name} in block {event.block} is malformed")

    def _register(self, number: int, owner: int) -> None:
        if number != self.count + 1:
            raise ChainError(f"account {number} was registered after account {self.count}")
        self.count = number
        self.ids[address(owner.to_bytes(32, "big"))] = number
        if number == len(self._balance):
            self._balance, self._cap = _twice(self._balance), _twice(self._cap)
            self._max_price, self._deadline = _twice(self._max_price), _twice(self._deadline)
            self._earned, self._claimed = _twice(self._earned), _twice(self._claimed)
            self._requested = _twice(self._requested)
            self._withdrawn = _twice(self._withdrawn)

    def settle(self, batch: SettledRecords) -> Int64Array:
        """Settles a batch; returns what each of its calls was charged, zero where unpaid."""
        records = batch.records
        charged = self._charged(records.agent_ids, batch)
        fees = shares_floor(charged, self._fee_bps)
        np.subtract.at(self._balance, records.agent_ids, charged)
        np.subtract.at(self._cap, records.agent_ids, charged)
        np.add.at(self._earned, records.model_ids, charged - fees)
        self.fees += int(fees.sum())
        self.calls += len(records)
        self.batches += 1
        return charged

    def _charged(self, agents: Int64Array, batch: SettledRecords) -> Int64Array:
        records = batch.records
        allowed = records.quote_micros <= self._max_price[agents]
        allowed &= batch.timestamp <= self._deadline[agents]
        charged = np.where(allowed, records.charge_micros, 0)
        return charged_in_order(agents, charged, np.minimum(self._balance, self._cap))

    def settle_sums(
        self, count: int, debits: dict[int, int], earned: dict[int, int], fees: int
    ) -> None:
        """Settles an epoch of so many calls: what each account pays and earns in all, in micros."""
        for agent, micros in debits.items():
            self._balance[agent] -= micros
            self._cap[agent] -= micros
        for model, micros in earned.items():
            self._earned[model] += micros
        self.fees += fees
        self.calls += count
        self.batches += 1

    def differences(
        self, rpc: Rpc, deployment: Deployment, place: str = ""
    ) -> tuple[int, list[str]]:
        """Against the contract's own views: the sum of differences in micros, and each in words.

        ``place`` is the contract's, an EpochRoot's for one; the CallLedger's if it is empty.
        """
        ledger, at = contract("CallLedger"), place or deployment.call_ledger
        ids = range(1, self.count + 1)
        accounts = rpc.views(at, [ledger.call("account", number) for number in ids])
        earnings = rpc.views(at, [ledger.call("earnings", number) for number in ids])
        free = rpc.views(at, [ledger.call("effectiveBalance", number) for number in ids])
        pairs: list[tuple[str, int, int]] = []
        effective = self._balance - np.minimum(self._requested, self._balance)
        for number, account, earning, left in zip(ids, accounts, earnings, free, strict=True):
            balance, cap, *_ = integers(account)
            earned, claimed = integers(earning)
            pairs += (
                (f"balance of account {number}", balance, int(self._balance[number])),
                (f"effective balance of account {number}", integer(left), int(effective[number])),
                (f"cap of account {number}", min(cap, CAP_MAX), int(self._cap[number])),
                (f"earnings of account {number}", earned, int(self._earned[number])),
                (f"claims of account {number}", claimed, int(self._claimed[number])),
            )
        names = ("fees", "feesClaimed", "callCount", "batchCount", "accountCount")
        found = [integer(answer) for answer in rpc.views(at, [ledger.call(n) for n in names])]
        needed = (self.fees, self._fees_claimed, self.calls, self.batches, self.count)
        pairs += zip(names, found, needed, strict=True)
        held = int((self._balance + self._earned - self._claimed).sum())
        token = contract("USDC").call("balanceOf", at)
        owed = held + self.fees - self._fees_claimed
        there = integer(rpc.view(deployment.usdc, token))
        pairs.append(("USDC of the contract", min(there, owed), owed))  # anybody may give it more
        words = [
            f"{name}: the contract has {view}, its history implies {rebuilt}"
            for name, view, rebuilt in pairs
            if view != rebuilt
        ]
        return sum(abs(view - rebuilt) for _, view, rebuilt in pairs), words
