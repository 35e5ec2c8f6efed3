"""The crowd: every agent that a scenario names."""

from sim.agents.agent import Agent
from sim.agents.demand import tasks
from sim.agents.plans import plan_of
from sim.scenario.schema import Scenario
from sim.units import micros_from_usd_exact


def agents(scenario: Scenario) -> list[Agent]:
    """Every agent of a scenario, group by group."""
    position = {intent: index for index, intent in enumerate(scenario.intents)}
    found: list[Agent] = []
    for number, (group_id, group) in enumerate(scenario.groups.items()):
        intents = [position[intent] for intent in group.intents]
        first, plan = len(found), plan_of(scenario, group)
        found += (
            Agent(
                index=first + index,
                group=number,
                name=f"{group_id}/{index}",
                budget_micros=micros_from_usd_exact(group.budget_usd),
                retries=group.retries,
                plan=plan,
                tasks=tasks(scenario.seed, group_id, index, group, intents, scenario.validators),
            )
            for index in range(group.count)
        )
    return found
