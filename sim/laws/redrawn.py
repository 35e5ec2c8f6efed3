"""Law 6's second half: what sampled agents, drawn again alone, would post."""

from collections.abc import Iterator

import numpy as np

from sim.agents import Agent, Flow, agents
from sim.facts import Task
from sim.laws.evidence import Evidence
from sim.models import is_job
from sim.scenario.phases import phases
from sim.scenario.schema import Scenario

SAMPLED_AGENTS = 8
SAMPLED_TASKS = 64


def tasks_shifted(evidence: Evidence) -> int:
    """How many tasks of sampled agents are others than these would post if they were alone."""
    scenario, tasks = evidence.frames.scenario, evidence.tasks
    total = len(evidence.names.agents)
    flows, taken = evidence.ways.flows, evidence.taken
    groups, within = evidence.names.group_of_agent, _within(scenario)
    moved = 0
    for index in range(0, total, max(1, total // SAMPLED_AGENTS)):
        rows = np.flatnonzero(tasks.agent == index)[:SAMPLED_TASKS].tolist()
        group = int(groups[index])
        alone = _posted(*_alone(scenario, group, within[index]), tasks.posted_us[rows].tolist())
        moved += sum(
            _shifted(evidence, row, task, flows[taken[row]])
            for row, task in zip(rows, alone, strict=True)
        )
    return moved


def _within(scenario: Scenario) -> list[int]:
    """Each agent's number within its group."""
    return [at for group in scenario.groups.values() for at in range(group.count)]


def _alone(scenario: Scenario, group: int, within: int) -> tuple[Scenario, Agent]:
    """An agent in a scenario with as few others as can be, so that it cannot depend on them.

    Its group ends with it, and the others, which events may name, have one agent each.
    """
    groups = {
        name: whole.model_copy(update={"count": within + 1 if number == group else 1})
        for number, (name, whole) in enumerate(scenario.groups.items())
    }
    fewest = scenario.model_copy(update={"groups": groups})
    return fewest, [agent for agent in agents(fewest) if agent.group == group][-1]


def _posted(scenario: Scenario, agent: Agent, times: list[int]) -> Iterator[Task]:
    """An agent's tasks from the first; those it drew while it had left the market are passed over.

    Only agents that may leave pass any over.
    """
    may_leave = any(
        list(phase.scenario.groups.values())[agent.group].outside.leave is not None
        for phase in phases(scenario)
    )
    for posted_us in times:
        task = next(agent.tasks)
        while may_leave and task.posted_us < posted_us:
            task = next(agent.tasks)
        yield task


def _shifted(evidence: Evidence, row: int, task: Task, flow: Flow) -> bool:
    """Whether a task of the record is another than the one its agent alone would post."""
    tasks = evidence.tasks
    found = (tasks.posted_us[row], tasks.intent[row], tasks.value_micros[row])
    if found != (task.posted_us, task.intent, task.value_micros):
        return True
    return _calls_shifted(evidence, row, task, flow)


def _calls_shifted(evidence: Evidence, row: int, task: Task, flow: Flow) -> bool:
    """Whether the calls of a task of the record ask for other than its own draws make of it."""
    calls, hired = evidence.calls, evidence.hired
    for at in evidence.calls_of(row):
        index = flow.position.get(int(calls.step[at]))
        if index is None:
            return True
        context = 0 if flow.whole else flow.context_of(task, index)
        clone, attempt = int(calls.clone[at]), int(calls.attempt[at])
        asked = flow.task_of(task, index, clone, attempt, context)
        found = (calls.input_tokens[at], calls.reference_tokens[at], calls.difficulty[at])
        if found != (asked.input_tokens, asked.output_tokens, asked.difficulty):
            return True
        if hired is not None and is_job(asked.draw, int(hired[0][at])) != hired[1][at]:
            return True
    return False
