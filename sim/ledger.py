"""The ledger: balances, moved only by transfers, which are a pure function of the calls.

Money is kept twice. While the market runs, `Ledger.hold` and `Ledger.end_hold` keep what each agent
may still spend. Block by block, `Ledger.post` derives the transfers of the calls that ended and
moves balances by them alone. The two must agree to the last micro after every block.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from sim.facts import Kind, LawError, Status
from sim.mechanisms import ExecutionContingent
from sim.record import Calls, Transfers
from sim.scenario.schema import Scenario
from sim.units import Int64Array, micros_from_usd_exact

ISSUER: Final = 0
ESCROW: Final = 1
TREASURY: Final = 2
FIRST_AGENT: Final = 3
"""Account numbers: the issuer (whose balance is what was minted, negative), the escrow, the
treasury, then every agent, then every model."""

NO_BONDS: Final[Int64Array] = np.zeros(0, np.int64)


def bonds(scenario: Scenario) -> Int64Array:
    """The bond of each model in micros; of none, where the mechanism asks for no bonds."""
    rule = scenario.mechanism
    if not isinstance(rule, ExecutionContingent):
        return NO_BONDS
    return np.full(len(scenario.models), micros_from_usd_exact(rule.bond_usd), np.int64)


def mints(budgets: Int64Array, bonds: Int64Array = NO_BONDS) -> Transfers:
    """What the issuer gives at time 0: every agent its budget, then every model its bond."""
    n = len(budgets) + len(bonds)
    zeros = np.zeros(n, np.int64)
    accounts = FIRST_AGENT + np.arange(n)
    amounts = np.concatenate([budgets, bonds])
    return Transfers(zeros - 1, zeros, zeros + Kind.MINT, zeros + ISSUER, accounts, amounts)


def transfers(calls: Calls, agents: int) -> Transfers:
    """The transfers of calls: hold; then release and fee, and refund of the rest; zeros left out.

    The whole charge is released to the model, which owes the fee to the treasury. A slash goes from
    the model, which has posted a bond, to the agent.

    Args:
        calls: in any order. agents: how many there are (models are numbered after them).
    """
    agent = FIRST_AGENT + calls.agent
    model = FIRST_AGENT + agents + calls.model
    ended = calls.status != Status.IN_FLIGHT
    escrow = np.full(len(calls), ESCROW, np.int64)
    treasury = np.full(len(calls), TREASURY, np.int64)
    steps = (
        (Kind.HOLD, calls.posted_us, agent, escrow, calls.quote_micros),
        (Kind.RELEASE, calls.finished_us, escrow, model, calls.charge_micros),
        (Kind.FEE, calls.finished_us, model, treasury, calls.fee_micros),
        (
            Kind.REFUND,
            calls.finished_us,
            escrow,
            agent,
            (calls.quote_micros - calls.charge_micros) * ended,
        ),
        (Kind.SLASH, calls.finished_us, model, agent, calls.slash_micros),
    )
    kinds = [np.full(len(calls), kind, np.int64) for kind, *_ in steps]
    times, sources, targets, amounts = (
        np.stack([step[column] for step in steps], axis=1).ravel() for column in (1, 2, 3, 4)
    )
    moved = np.flatnonzero(amounts)
    return Transfers(
        np.repeat(calls.call_id, len(steps))[moved],
        times[moved],
        np.stack(kinds, axis=1).ravel()[moved],
        sources[moved],
        targets[moved],
        amounts[moved],
    )


def moved(balances: Int64Array, change: Transfers) -> Int64Array:
    """Balances after transfers (all amounts are positive; no account is created)."""
    after = balances.copy()
    np.subtract.at(after, change.source, change.micros)
    np.add.at(after, change.target, change.micros)
    return after


class Ledger:
    """Balances of one run, in micro-USDC; raises `LawError` as soon as a law of money is broken.

    ``free`` is what each agent may still spend; ``claimed`` what it asked to have back and has not.
    """

    def __init__(self, budgets: list[int], models: int, bonds: Int64Array = NO_BONDS) -> None:
        self.agents = len(budgets)
        self.free = list(budgets)
        self.claimed: dict[int, int] = {}
        self.paid_out_micros = 0
        self.balances = moved(
            np.zeros(FIRST_AGENT + self.agents + models, np.int64),
            mints(np.array(budgets, np.int64), bonds),
        )

    def hold(self, agent: int, quote_micros: int) -> None:
        """Sets aside what a call can cost at most."""
        left = self.free[agent] - quote_micros
        if left < 0:
            raise LawError("no_overdraft", f"agent {agent} at {left} micros", ">= 0")
        self.free[agent] = left

    def end_hold(
        self, agent: int, quote_micros: int, charge_micros: int, slash_micros: int = 0
    ) -> None:
        """Ends a hold: the charge goes, the rest is free again, and a slash comes on top."""
        if not 0 <= charge_micros <= quote_micros:
            raise LawError(
                "no_more_than_held", f"agent {agent} charged {charge_micros}", f"<= {quote_micros}"
            )
        self.free[agent] += quote_micros - charge_micros + slash_micros

    def claim(self, agent: int, micros: int) -> None:
        """Sets aside what an agent asks to have back: no call can be made with it any more."""
        self.hold(agent, micros)
        self.claimed[agent] = self.claimed.get(agent, 0) + micros

    def pay_out(self, agent: int) -> None:
        """Lets an agent have what it has asked for."""
        micros = self.claimed.pop(agent)
        self.balances[FIRST_AGENT + agent] -= micros
        self.paid_out_micros += micros

    def post(self, ended: Calls, held: Iterable[tuple[int, int]]) -> None:
        """Moves balances by the transfers of calls that ended, and proves both books equal.

        Args:
            ended: calls in settlement order. held: (agent, quote) of every call in flight.
        """
        self.balances = moved(self.balances, transfers(ended, self.agents))
        expected = np.array(self.free, np.int64)
        for agent, quote_micros in held:
            expected[agent] += quote_micros
        for agent, micros in self.claimed.items():
            expected[agent] += micros
        if self.balances[ESCROW] != 0:
            raise LawError(
                "every_hold_ends_once", f"{self.balances[ESCROW]} micros of ended calls held", "0"
            )
        total = self.balances.sum() + self.paid_out_micros
        if total != 0:
            raise LawError("conservation", f"sum {total} micros", "0")
        if self.balances[ESCROW:].min() < 0:
            raise LawError("no_overdraft", f"{self.balances[ESCROW:].min()} micros", ">= 0")
        wrong = np.flatnonzero(self.of_agents != expected)
        if len(wrong):
            first = int(wrong[0])
            raise LawError(
                "conservation",
                f"agent {first} has {self.of_agents[first]} micros by transfers",
                f"{expected[first]} by holds",
            )

    def unpay(self, were: Calls) -> None:
        """Takes back what calls were charged that their agents could not pay at settlement.

        Args:
            were: the calls as they were when it was booked.
        """
        agent, model = FIRST_AGENT + were.agent, FIRST_AGENT + self.agents + were.model
        np.add.at(self.balances, agent, were.charge_micros)
        np.subtract.at(self.balances, model, were.charge_micros - were.fee_micros)
        self.balances[TREASURY] -= were.fee_micros.sum()
        for index, micros in zip(were.agent.tolist(), were.charge_micros.tolist(), strict=True):
            self.free[index] += micros

    def strand(self, in_flight: Calls) -> None:
        """Moves the holds of calls that an interruption left in flight into the escrow."""
        self.balances = moved(self.balances, transfers(in_flight, self.agents))
        held = int(in_flight.quote_micros.sum())
        if self.balances[ESCROW] != held:
            raise LawError("every_hold_ends_once", f"escrow {self.balances[ESCROW]}", str(held))

    @property
    def of_agents(self) -> Int64Array:
        """Balances of the agents, holds not taken off."""
        return self.balances[FIRST_AGENT : FIRST_AGENT + self.agents]

    @property
    def of_models(self) -> Int64Array:
        """What each model has: its bond and earnings, fees and slashes taken off."""
        return self.balances[FIRST_AGENT + self.agents :]

    @property
    def of_treasury(self) -> int:
        """Fees collected."""
        return int(self.balances[TREASURY])
