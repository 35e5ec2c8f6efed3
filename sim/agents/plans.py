"""Plans: how agents go about a task, from posting it to its end."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import ClassVar, NamedTuple

from sim.agents.agent import Agent, Attempt, Desk, Plan
from sim.agents.changing import Changing
from sim.agents.choosing import Choice, Climb, Learn, RaiseFloor, stay
from sim.agents.flow import flow_terms, flows_of
from sim.agents.memory import Memory
from sim.agents.outside import Outsider
from sim.agents.rules import Rules
from sim.agents.steps import Steps
from sim.agents.worth import Worth
from sim.facts import Outcome, Reason, Task
from sim.scenario.conduct import GiveUp, Ladder, Outside
from sim.scenario.phases import Phase, Phases
from sim.scenario.schema import Group, Scenario
from sim.units import US_PER_MINUTE, micros_from_usd_exact, ppm_nearest


class Retry:
    """One answer is all a task needs; a wrong or lost one is asked for again, some times.

    Nothing is kept between calls: whatever is to be known stands in the call.
    """

    __slots__ = ("retries",)
    remembers: ClassVar[bool] = False

    def __init__(self, retries: int) -> None:
        self.retries = retries

    def turn(self, desk: Desk, agents: Iterable[Agent]) -> None:
        """Nothing to change: it keeps nothing in mind."""

    def repeats(self, task: Task) -> int:
        """The same for all."""
        return self.retries

    def posts(self, desk: Desk, agent: Agent) -> bool:
        """Always."""
        return True

    def begin(self, desk: Desk, task_id: int, agent: Agent, task: Task) -> None:
        """Asks for the answer."""
        desk.attempt(task_id, agent, 0, task)

    def fitting(
        self, desk: Desk, task_id: int, agent: Agent, attempt: int, task: Task, purse_micros: int
    ) -> tuple[Sequence[int], Reason]:
        """Whatever the pool has."""
        return desk.pool.fitting(task, agent.group, purse_micros)

    def refused(
        self, desk: Desk, task_id: int, agent: Agent, attempt: int, task: Task, reason: Reason
    ) -> None:
        """The end of the task."""
        outcome = Outcome.FAILED if attempt else Outcome.REJECTED
        desk.end_task(task_id, agent, attempt, task, outcome, reason)

    def made(self, call: Attempt) -> None:
        """Nothing to be noted: the ledger keeps the purse."""

    def recall(self, desk: Desk, call: Attempt) -> int:
        """Nothing: no call continues another."""
        return 0

    def after(self, desk: Desk, call: Attempt, reason: Reason, charge_micros: int) -> None:
        """Done, once more, or given up."""
        agent, attempt, task = call.agent, call.attempt + 1, call.task
        if reason is Reason.NONE:
            outcome = Outcome.SUCCEEDED
        elif reason is Reason.LATE or desk.clock.now >= task.deadline_us:
            outcome = Outcome.EXPIRED
        elif attempt <= self.retries and reason is not Reason.BELIEVED:
            desk.attempt(call.task_id, agent, attempt, task)
            return
        else:
            outcome = Outcome.FAILED
        desk.end_task(call.task_id, agent, attempt, task, outcome, reason)

    def again(self, desk: Desk, call: Attempt) -> Task | None:
        """The same."""
        return call.task

    def lost(self, desk: Desk, call: Attempt) -> None:
        """Nothing was noted of it."""

    def strand(self, desk: Desk, calls: Iterable[Attempt]) -> None:
        """Each call is all that is under way of its task."""
        for call in calls:
            desk.end_task(
                call.task_id, call.agent, call.attempt + 1, call.task, Outcome.OPEN,
                Reason.INTERRUPTED,
            )  # fmt: skip


def plan_of(every: Phases, group_id: str) -> Plan:
    """The plan of a group's agents: the plainest that does what the group asks for."""
    spells: list[Conduct] = []
    for phase in every:
        now = conduct_of(phase, group_id)
        if not spells or now.terms != spells[-1].terms:
            spells.append(now)
    plans = _plans(spells, every.step_names)
    return plans[0] if len(plans) == 1 else Changing([each.from_us for each in spells], plans)


class Conduct(NamedTuple):
    """A group from a time on, in the scenario of then, and what decides how it goes about tasks."""

    from_us: int
    scenario: Scenario
    group: Group
    terms: tuple[object, ...]


def conduct_of(phase: Phase, group_id: str) -> Conduct:
    """What of a group makes its plan in a phase."""
    scenario, group = phase.scenario, phase.scenario.groups[group_id]
    hosted = group.outside.self_host
    terms = (
        flow_terms(group), group.lateness, group.budget_per_day_usd, group.budget_per_task_usd,
        group.escalation, group.give_up, group.learning, group.outside,
        hosted and [model.weights for model in scenario.models.values()],
    )  # fmt: skip
    return Conduct(phase.from_us, scenario, group, terms)


def _plans(spells: Sequence[Conduct], step_names: Sequence[str]) -> list[Plan]:
    """A plan for each spell; all of them keep things in mind if one has to."""
    if not any(_looks_beyond_a_call(each.group) for each in spells):
        return [Retry(each.group.retries) for each in spells]
    minds: dict[int, Memory] = {}
    of_days = any(each.group.budget_per_day_usd is not None for each in spells)
    return [Steps(_rules(each, step_names, of_days=of_days), minds) for each in spells]


def _rules(now: Conduct, step_names: Sequence[str], *, of_days: bool) -> Rules:
    group, scenario = now.group, now.scenario
    models = {name: index for index, name in enumerate(scenario.models)}
    is_open = [model.weights == "open" for model in scenario.models.values()]
    session = group.session
    return Rules(
        flows=flows_of(scenario, group, step_names),
        retries=group.retries,
        choices=tuple(_choices(group, models)),
        outsider=Outsider(group.outside, models, is_open),
        task_micros=_micros(group.budget_per_task_usd),
        day_micros=_micros(group.budget_per_day_usd),
        counts_days=of_days,
        keep_us=round(session.cache_min * US_PER_MINUTE) if session else None,
        reuse_ppm=ppm_nearest(session.reuse) if session else 0,
        give_up_after=group.give_up.after_calls,
        beyond_value=group.give_up.beyond_value,
        worth=Worth(group),
    )


def _looks_beyond_a_call(group: Group) -> bool:
    plain = (group.budget_per_day_usd, group.budget_per_task_usd, group.escalation, group.session,
             group.learning)  # fmt: skip
    return (
        any(each is not None for each in plain)
        or group.give_up != GiveUp()
        or group.outside != Outside()
        or any(demand.workflow for demand in group.intents.values())
    )


def _micros(usd: Decimal | None) -> int | None:
    return None if usd is None else micros_from_usd_exact(usd)


def _choices(group: Group, models: Mapping[str, int]) -> Iterator[Choice]:
    """First what an attempt must be, then what the agent would like."""
    if isinstance(group.escalation, Ladder):
        yield Climb(group.escalation, models)
    elif group.escalation is not None:
        yield RaiseFloor(group.escalation)
    if group.session and group.session.sticky:
        yield stay
    if group.learning:
        yield Learn(group.learning)
