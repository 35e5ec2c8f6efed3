"""What the laws ask of a task's answers: each part's in order, and all of them for a success."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from sim.agents import Flow, flows_of
from sim.facts import Outcome
from sim.laws.evidence import PART, Evidence
from sim.scenario.schema import Scenario
from sim.units import US_PER_DAY, Int64Array, micros_from_usd_exact


def flows(scenario: Scenario) -> dict[tuple[int, int], Flow]:
    """The flow of a group's intent, both by position."""
    return {
        (number, intent): flow
        for number, group in enumerate(scenario.groups.values())
        for intent, flow in flows_of(scenario, group).items()
    }


def answers_wrong(evidence: Evidence) -> int:
    """How many parts or tasks do not add up.

    Attempts at a part count from 0 without gaps. A part is won by its last answer, and by one alone
    unless its workflow may go back to it. A task has succeeded if, and only if, all its parts are
    won; and it has none but those of its workflow.
    """
    tasks = evidence.tasks
    parts = evidence.answers.group_by(PART, maintain_order=True).agg(
        n=pl.len(), last=pl.col("attempt").max(), different=pl.col("attempt").n_unique(),
        wins=pl.col("won").sum(), won=pl.col("won").last(),
    )  # fmt: skip
    gaps = (pl.col("last") != pl.col("n") - 1) | (pl.col("different") != pl.col("n"))
    lost = (pl.col("wins") > 0) & (pl.col("won") == 0)
    wrong = parts.filter(gaps).height
    named = parts.join(_expected(evidence, tasks.agent, tasks.intent), on=PART, how="left")
    wrong += named["again"].null_count()
    twice = (pl.col("wins") > 1) | lost
    wrong += named.filter(twice & ~pl.col("again")).height
    won = np.bincount(parts["task_id"].to_numpy(), parts["won"].to_numpy(), len(tasks))
    claims = tasks.outcome == Outcome.SUCCEEDED
    return wrong + int(((won == _needed(evidence, tasks.agent, tasks.intent)) != claims).sum())


def _kinds(evidence: Evidence, agent: Int64Array, intent: Int64Array) -> Int64Array:
    """One number per task for its group and intent."""
    return evidence.names.group_of_agent[agent] * len(evidence.frames.scenario.intents) + intent


def _needed(evidence: Evidence, agent: Int64Array, intent: Int64Array) -> Int64Array:
    """How many parts each task has."""
    scenario = evidence.frames.scenario
    needed = np.zeros(len(scenario.groups) * len(scenario.intents), np.int64)
    for (group, number), flow in flows(scenario).items():
        needed[group * len(scenario.intents) + number] = flow.answers
    found: Int64Array = needed[_kinds(evidence, agent, intent)]
    return found


def _expected(evidence: Evidence, agent: Int64Array, intent: Int64Array) -> pl.DataFrame:
    """The parts that each task may have, and whether its workflow may go back to them."""
    scenario = evidence.frames.scenario
    kinds = [
        {"kind": group * len(scenario.intents) + number, "step": part.code, "clone": clone,
         "again": any(index in other.back for other in flow.parts)}
        for (group, number), flow in flows(scenario).items()
        for index, part in enumerate(flow.parts)
        for clone in range(part.step.clones)
    ]  # fmt: skip
    of_tasks = pl.DataFrame(
        {"task_id": np.arange(len(agent)), "kind": _kinds(evidence, agent, intent)}
    )
    return of_tasks.join(pl.DataFrame(kinds), on="kind").drop("kind")


def answers_out_of_order(evidence: Evidence) -> int:
    """How many answers were asked for before what they had to wait for had come.

    An attempt waits for the one before it at its part; a part for the parts its step comes after.
    """
    answers, tasks = evidence.answers, evidence.tasks
    same = pl.struct(PART) == pl.struct(PART).shift()
    early = same & (pl.col("asked_us") < pl.col("finished_us").shift())
    wrong = answers.filter(early).height
    kinds = _kinds(evidence, tasks.agent, tasks.intent)
    parts = answers.group_by(PART).agg(
        asked=pl.col("asked_us").min(),
        won=pl.col("finished_us").filter(pl.col("won") == 1).min(),
    )
    lost = pl.col("won").is_null().any()
    steps = parts.group_by("task_id", "step").agg(
        asked=pl.col("asked").min(), won=pl.when(~lost).then(pl.col("won").max())
    )
    for kind, before, after in _edges(evidence.frames.scenario):
        of_kind = steps.filter(pl.col("task_id").is_in(np.flatnonzero(kinds == kind)))
        pairs = of_kind.filter(pl.col("step") == after).join(
            of_kind.filter(pl.col("step") == before), on="task_id", how="left"
        )
        wrong += pairs.filter(~(pl.col("asked") >= pl.col("won_right")).fill_null(False)).height
    return wrong


def _edges(scenario: Scenario) -> Iterator[tuple[int, int, int]]:
    """The kind of task, the step, and the step that comes after it."""
    for (group, number), flow in flows(scenario).items():
        for part in flow.parts:
            for before in part.before:
                code = flow.parts[before].code
                yield group * len(scenario.intents) + number, code, part.code


def over_budget(evidence: Evidence) -> int:
    """How many agents' days and tasks cost more than their budgets allow."""
    calls, scenario = evidence.calls, evidence.frames.scenario
    groups = list(scenario.groups.values())
    group = evidence.names.group_of_agent[calls.agent]
    days = calls.agent * (1 + calls.posted_us.max(initial=0) // US_PER_DAY)
    days += calls.posted_us // US_PER_DAY
    over = 0
    for number, each in enumerate(groups):
        budgets = ((each.budget_per_day_usd, days), (each.budget_per_task_usd, calls.task_id))
        for usd, column in budgets:
            if usd is not None:
                mine = group == number
                _, at = np.unique(column[mine], return_inverse=True)
                sums = np.zeros(int(at.max(initial=-1)) + 1, np.int64)
                np.add.at(sums, at, calls.charge_micros[mine])
                over += int((sums > micros_from_usd_exact(usd)).sum())
    return over
