"""Outside the market: agents that host an open model themselves, that leave, and that come back."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from sim.agents.agent import Agent, Desk, Own
from sim.agents.memory import Answered, Memory
from sim.facts import Decision, Outcome, Reason
from sim.scenario.conduct import Leave, Outside, SelfHost
from sim.units import PPM, micros_from_usd_exact, ppm_nearest, us_from_hours_nearest

OWN_FAULT = (
    Reason.NO_BUDGET, Reason.DAY_BUDGET, Reason.TASK_BUDGET, Reason.GAVE_UP, Reason.TOOLS,
)  # fmt: skip
"""Why tasks fail for which the market cannot be blamed."""


class Hosting:
    """When an agent hosts, and what becomes of what it hosts."""

    def __init__(
        self, rule: SelfHost, positions: Mapping[str, int], is_open: Sequence[bool]
    ) -> None:
        self.rule, self.is_open = rule, is_open
        self.model, self.slots = positions[rule.model], rule.slots
        self.review_us = us_from_hours_nearest(rule.review_h)
        hour_micros = micros_from_usd_exact(rule.usd_per_hour)
        self.cost_micros = round(hour_micros * rule.review_h)

    def settle_in(self, desk: Desk, agent: Agent, mind: Memory) -> None:
        """Reviews begin; a machine that is there already is kept, if it is the one to be had.

        Where nothing has changed of the rule, the review that is to come comes when it was to come.
        """
        before = mind.reviews
        if isinstance(before, Hosting) and before.rule == self.rule:
            return
        if mind.machine != (self.model, self.slots):
            give_up(desk, agent, mind)
            mind.machine = self.model, self.slots
            mind.host = desk.pool.own(self.model, self.slots)
        mind.reviews, mind.open_micros = self, 0
        desk.clock.after(self.review_us, self.review, (desk, agent, mind))

    def review(self, what: tuple[Desk, Agent, Memory]) -> None:
        """Changes over if the other way would have been cheaper since the last review."""
        desk, agent, mind = what
        if mind.reviews is not self:
            return  # other rules hold by now
        hosts = mind.open_micros > self.cost_micros
        if hosts != mind.hosting:
            mind.hosting = hosts
            if hosts:  # the weights that are to be had now
                mind.host = desk.pool.own(self.model, self.slots)
            decision = Decision.SELF_HOST if hosts else Decision.STOP_HOSTING
            desk.note(agent, decision, self.model)
        mind.open_micros = 0
        desk.clock.after(self.review_us, self.review, what)


def give_up(desk: Desk, agent: Agent, mind: Memory) -> None:
    """The machine of one's own goes; what it is asked is still answered."""
    if mind.hosting and mind.machine is not None:
        desk.note(agent, Decision.STOP_HOSTING, mind.machine[0])
    mind.hosting, mind.host, mind.machine, mind.reviews = False, None, None, None
    mind.open_micros = 0


class Leaving:
    """When an agent has had enough."""

    def __init__(self, rule: Leave) -> None:
        self.below_ppm, self.over = ppm_nearest(rule.success_below), rule.over_tasks
        self.away_us = None if rule.away_h is None else us_from_hours_nearest(rule.away_h)

    def ended(self, desk: Desk, agent: Agent, mind: Memory, *, succeeded: bool) -> None:
        """Leaves after too few successes; comes back in its time."""
        if mind.away:
            return
        mind.recent.append(succeeded)
        full = len(mind.recent) == self.over
        if not full or sum(mind.recent) * PPM >= self.below_ppm * self.over:
            return
        mind.recent.clear()
        mind.away = True
        desk.note(agent, Decision.LEAVE, -1)
        if self.away_us is not None:
            desk.clock.after(self.away_us, self._return, (desk, agent, mind))

    def _return(self, what: tuple[Desk, Agent, Memory]) -> None:
        desk, agent, mind = what
        mind.away = False
        desk.note(agent, Decision.RETURN, -1)


class Outsider:
    """What the agents of a group do instead of buying in the market; mostly nothing."""

    def __init__(
        self, outside: Outside, positions: Mapping[str, int], is_open: Sequence[bool]
    ) -> None:
        host, leave = outside.self_host, outside.leave
        self.hosting = Hosting(host, positions, is_open) if host else None
        self.leaving = Leaving(leave) if leave else None

    def settle_in(self, desk: Desk, agent: Agent, mind: Memory) -> None:
        """An agent is about to post its first task, or goes by these rules from now on."""
        mind.outside = self
        if self.leaving is not None:
            mind.recent = deque(mind.recent, maxlen=self.leaving.over)
        if self.hosting is not None:
            self.hosting.settle_in(desk, agent, mind)
        else:
            give_up(desk, agent, mind)

    def charged(self, mind: Memory, model: int, charge_micros: int) -> None:
        """Takes note of a charge, if it was an open model's."""
        if self.hosting is not None and self.hosting.is_open[model]:
            mind.open_micros += charge_micros

    def ask(self, desk: Desk, mind: Memory, own: Own, then: Callable[[Reason], None]) -> None:
        """Asks an agent's own machines; ``then`` is told how it ended."""
        host = mind.host
        assert host is not None
        model = host.model

        def answered(answer: Answered) -> None:
            late = desk.clock.now > own.task.deadline_us
            right = Reason.NONE if answer.right else Reason.WRONG
            reason = Reason.LATE if late else right
            mind.open_micros += answer.market_micros
            desk.host_answered(own, model, answer.output_tokens, reason)
            then(reason)

        host.ask(desk.clock, own.task, own.attempt, answered)

    def ended(
        self, desk: Desk, agent: Agent, mind: Memory, outcome: Outcome, reason: Reason
    ) -> None:
        """Takes the end of a task to heart."""
        if self.leaving is not None and reason not in OWN_FAULT:
            self.leaving.ended(desk, agent, mind, succeeded=outcome is Outcome.SUCCEEDED)
