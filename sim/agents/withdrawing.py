"""Withdrawals: agents ask for what they do not need, wait out the timelock, and have it."""

from sim.clock import Clock
from sim.ledger import Ledger
from sim.rails import timelock_s
from sim.scenario.conduct import Withdrawal
from sim.scenario.schema import Scenario
from sim.units import US_PER_S, micros_from_usd_exact, us_from_hours_nearest

Claim = tuple[int, int]
"""An agent, and what it asked for in micros."""


class Withdrawing:
    """All agents' withdrawals on the market's clock; nothing happens where no group withdraws.

    Each step is a row of `sim.record.Withdrawals` in ``rows``, until the world takes them. Only
    what is free is asked for, and from then on no call is made with it; so whatever was admitted
    before can be paid after the money has gone.
    """

    def __init__(self, clock: Clock, ledger: Ledger, scenario: Scenario) -> None:
        self.clock, self.ledger = clock, ledger
        self.rows: list[tuple[int, ...]] = []
        self._timelock_us = timelock_s(scenario.rail) * US_PER_S
        self._rules: list[tuple[Withdrawal, range]] = []
        first = 0
        for group in scenario.groups.values():
            if group.withdrawal is not None:
                self._rules.append((group.withdrawal, range(first, first + group.count)))
            first += group.count

    def start(self) -> None:
        """Sets every group's first withdrawal."""
        for rule in self._rules:
            self._await_next(rule)

    def _await_next(self, rule: tuple[Withdrawal, range]) -> None:
        self.clock.after(us_from_hours_nearest(rule[0].every_h), self._request, rule)

    def _request(self, rule: tuple[Withdrawal, range]) -> None:
        """Every agent that has more than it keeps, and waits for nothing yet, asks for the rest."""
        keep_micros = micros_from_usd_exact(rule[0].keep_usd)
        claims: list[Claim] = []
        for agent in rule[1]:
            over_micros = self.ledger.free[agent] - keep_micros
            if over_micros > 0 and agent not in self.ledger.claimed:
                self.ledger.claim(agent, over_micros)
                claims.append((agent, over_micros))
                self.rows.append((self.clock.now, agent, False, over_micros))
        if claims:
            self.clock.after(self._timelock_us, self._execute, claims)
        self._await_next(rule)

    def _execute(self, claims: list[Claim]) -> None:
        """The timelock is over: the money leaves."""
        for agent, micros in claims:
            self.ledger.pay_out(agent)
            self.rows.append((self.clock.now, agent, True, micros))
