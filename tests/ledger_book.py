"""CallLedger's rules in plain Python, one call at a time, for tests to hold others against."""

from dataclasses import dataclass, field, fields

import numpy as np

from sim.facts import Batch, Status
from sim.record import Calls
from sim.units import Int64Array

AGENTS, MODELS = 3, 2
BUDGET = 5_000
FEE_BPS = 200


@dataclass
class Side:
    """An agent's side of the contract by the plain rules, and its wallet."""

    wallet: int = BUDGET
    balance: int = 0
    cap: int = 0
    max_price: int = 0
    deadline: int = 0
    nonce: int = 0
    requested: int = 0
    unlocks: int = 0


@dataclass
class Book:
    """CallLedger by the plain rules."""

    sides: list[Side] = field(default_factory=lambda: [Side() for _ in range(AGENTS)])
    earned: list[int] = field(default_factory=lambda: [0] * MODELS)
    claimed: list[int] = field(default_factory=lambda: [0] * MODELS)
    fees: int = 0
    fees_claimed: int = 0
    paused: bool = False

    def settle(self, calls: list[tuple[int, int, int, int]], now: int) -> list[int]:
        """What each call is charged: all of its charge, or nothing."""
        return [self._charge(*each, now) for each in calls]

    def _charge(self, agent: int, model: int, quote: int, charge: int, now: int) -> int:
        side = self.sides[agent]
        expired = now > side.deadline
        if expired or quote > side.max_price or charge > side.cap or charge > side.balance:
            return 0
        fee = charge * FEE_BPS // 10_000
        side.balance -= charge
        side.cap -= charge
        self.earned[model] += charge - fee
        self.fees += fee
        return charge


def columns(batch: Batch) -> Calls:
    """A batch's calls as the market's record has them: settled, at their charge."""
    zeros: Int64Array = np.zeros(len(batch), np.int64)
    known = {
        "call_id": batch.call_id,
        "agent": batch.agent,
        "model": batch.model,
        "quote_micros": batch.quote_micros,
        "charge_micros": batch.charge_micros,
        "fee_micros": batch.fee_micros,
        "status": zeros + Status.SETTLED,
    }
    return Calls(**{each.name: known.get(each.name, zeros) for each in fields(Calls)})
