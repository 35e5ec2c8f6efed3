"""The crowd: every agent that a scenario names."""

from collections.abc import Iterator, Mapping, Sequence

from sim.agents.agent import Agent
from sim.agents.demand import Chat, Spell, in_sessions, tasks
from sim.agents.plans import plan_of
from sim.facts import Task
from sim.scenario.phases import Phases, phases
from sim.scenario.schema import Scenario
from sim.units import US_PER_MINUTE, micros_from_usd_exact


def agents(scenario: Scenario) -> list[Agent]:
    """Every agent of a scenario, group by group."""
    position = {intent: index for index, intent in enumerate(scenario.intents)}
    every = phases(scenario)
    found: list[Agent] = []
    for number, (group_id, group) in enumerate(scenario.groups.items()):
        first, plan = len(found), plan_of(every, group_id)
        own, chats = _spells(every, group_id), _chats(every, group_id, position)
        found += (
            Agent(
                index=first + index,
                group=number,
                name=f"{group_id}/{index}",
                budget_micros=micros_from_usd_exact(group.budget_usd),
                plan=plan,
                tasks=_turns(tasks(scenario.seed, group_id, index, own, position), chats),
            )
            for index in range(group.count)
        )
    return found


def _spells(every: Phases, group_id: str) -> list[Spell]:
    """A group's spells: the phases in which something is new for its tasks."""
    spells: list[Spell] = []
    for phase in every:
        now = Spell(phase.from_us, phase.scenario.groups[group_id], phase.scenario.validators)
        if not spells or _of_tasks(now) != _of_tasks(spells[-1]):
            spells.append(now)
    return spells


def _of_tasks(spell: Spell) -> tuple[object, ...]:
    """What its tasks are drawn by."""
    group = spell.group
    demands = [
        (name, each.share, each.input_tokens, each.output_tokens, each.difficulty)
        for name, each in group.intents.items()
    ]
    terms = group.arrival, group.values, group.value_usd, group.max_price_usd, group.deadline_s
    return *terms, demands, spell.validators


def _chats(every: Phases, group_id: str, position: Mapping[str, int]) -> list[Chat]:
    """When a group's tasks are turns of chats, and by which rules; none, where they never are."""
    chats: list[Chat] = []
    for phase in every:
        group = phase.scenario.groups[group_id]
        session, chatty, idle_us, most = group.session, frozenset[int](), 0, 0
        if session is not None and session.idle_min is not None:
            idle_us, most = round(session.idle_min * US_PER_MINUTE), session.context_max_tokens
            whole = (name for name, demand in group.intents.items() if not demand.workflow)
            chatty = frozenset(position[name] for name in whole)
        chats.append(Chat(phase.from_us, chatty, idle_us, most))
    return chats if any(each.chatty for each in chats) else []


def _turns(posted: Iterator[Task], chats: Sequence[Chat]) -> Iterator[Task]:
    """An agent's tasks; as turns of chats where its group has such."""
    return in_sessions(posted, chats) if chats else posted
