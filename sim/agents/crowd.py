"""The crowd: every agent that a scenario names."""

from collections.abc import Iterator, Mapping

from sim.agents.agent import Agent
from sim.agents.demand import Spell, in_sessions, tasks
from sim.agents.plans import plan_of
from sim.facts import Task
from sim.scenario.phases import Phases, phases
from sim.scenario.schema import Group, Scenario
from sim.units import micros_from_usd_exact


def agents(scenario: Scenario) -> list[Agent]:
    """Every agent of a scenario, group by group."""
    position = {intent: index for index, intent in enumerate(scenario.intents)}
    every = phases(scenario)
    found: list[Agent] = []
    for number, (group_id, group) in enumerate(scenario.groups.items()):
        first, plan, own = len(found), plan_of(scenario, group), _spells(every, group_id)
        found += (
            Agent(
                index=first + index,
                group=number,
                name=f"{group_id}/{index}",
                budget_micros=micros_from_usd_exact(group.budget_usd),
                retries=group.retries,
                plan=plan,
                tasks=_turns(group, position, tasks(scenario.seed, group_id, index, own, position)),
            )
            for index in range(group.count)
        )
    return found


def _spells(every: Phases, group_id: str) -> list[Spell]:
    """A group's spells: the phases in which something is new for its tasks."""
    spells: list[Spell] = []
    for phase in every:
        now = Spell(phase.from_us, phase.scenario.groups[group_id], phase.scenario.validators)
        if not spells or now[1:] != spells[-1][1:]:
            spells.append(now)
    return spells


def _turns(group: Group, position: Mapping[str, int], posted: Iterator[Task]) -> Iterator[Task]:
    """An agent's tasks; as turns of chats where its group has such."""
    if group.session is None or group.session.idle_min is None:
        return posted
    whole = (position[name] for name, demand in group.intents.items() if not demand.workflow)
    return in_sessions(posted, group.session, frozenset(whole))
