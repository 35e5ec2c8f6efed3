"""What the laws ask of a task's answers: each part's in order, and all of them for a success."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from sim.agents import Ways
from sim.clearing import fallback_of
from sim.facts import Outcome
from sim.laws.evidence import PART, Evidence
from sim.record.terms import of_tasks
from sim.scenario.phases import Phases, phases
from sim.units import US_PER_DAY, Int64Array, micros_from_usd_exact


def answers_wrong(evidence: Evidence) -> int:
    """How many parts or tasks do not add up.

    Attempts at a part count from 0 without gaps; at one there are several answers only where each
    stands in for one that an outage took, as far as the router has fallbacks. A part is won by its
    last answer, and by one alone unless its workflow may go back to it. A task has succeeded if,
    and only if, all its parts are won; and it has none but those of its workflow.
    """
    claims, taken = evidence.tasks.outcome == Outcome.SUCCEEDED, evidence.taken
    needed, won = evidence.ways.answers(taken), np.zeros(len(claims), np.int64)
    behind = [fallback_of(phase.scenario) for phase in phases(evidence.frames.scenario)]
    most = max(router.fallbacks if router else 0 for router in behind)
    wrong = 0
    for block, answers in evidence.answers():
        parts = answers.group_by(PART, maintain_order=True).agg(
            last=pl.col("attempt").max(), different=pl.col("attempt").n_unique(),
            wins=pl.col("won").sum(), won=pl.col("won").last(),
        )  # fmt: skip
        wrong += _parts_wrong(parts, _expected(evidence, block))
        wrong += _stand_ins_wrong(answers, most)
        known = parts.filter(pl.col("task_id").is_between(0, len(won), "left"))
        np.add.at(won, known["task_id"].to_numpy(), known["won"].to_numpy())
    return wrong + int(((won == needed) != claims).sum())


def _parts_wrong(parts: pl.DataFrame, expected: pl.DataFrame) -> int:
    """How many parts are of no workflow, have gaps, or are won twice or not at last."""
    gaps = pl.col("last") != pl.col("different") - 1
    lost = (pl.col("wins") > 0) & (pl.col("won") == 0)
    twice = (pl.col("wins") > 1) | lost
    named = parts.join(expected, on=PART, how="left")
    again = named.filter(twice & ~pl.col("again")).height
    return parts.filter(gaps).height + named["again"].null_count() + again


def _stand_ins_wrong(answers: pl.DataFrame, most: int) -> int:
    """How many answers repeat an attempt whose last was not lost, or was the last fallback."""
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in (*PART, "attempt"))
    repeated = answers.select(same=same.fill_null(False), lost=pl.col("lost").shift())
    if not repeated["same"].any():
        return 0
    times = answers.group_by(*PART, "attempt").len()["len"]
    return repeated.filter("same", ~pl.col("lost")).height + int((times > 1 + most).sum())


def _expected(evidence: Evidence, block: range) -> pl.DataFrame:
    """The parts that each task may have, and whether its workflow may go back to them."""
    parts = [
        {"flow": number, "step": part.code, "clone": clone,
         "again": any(index in other.back for other in flow.parts)}
        for number, flow in enumerate(evidence.ways.flows)
        for index, part in enumerate(flow.parts)
        for clone in range(part.step.clones)
    ]  # fmt: skip
    taken = evidence.taken[block.start : block.stop]
    task_id = np.arange(block.start, block.start + len(taken))
    of_tasks = pl.DataFrame({"task_id": task_id, "flow": taken})
    return of_tasks.join(pl.DataFrame(parts), on="flow").drop("flow")


def answers_out_of_order(evidence: Evidence) -> int:
    """How many answers were asked for before what they had to wait for had come.

    An attempt waits for the one before it at its part; a part for the parts its step comes after.
    """
    return sum(_out_of_order(evidence, block, answers) for block, answers in evidence.answers())


def _out_of_order(evidence: Evidence, block: range, answers: pl.DataFrame) -> int:
    same = pl.struct(PART) == pl.struct(PART).shift()
    early = same & (pl.col("asked_us") < pl.col("finished_us").shift())
    wrong = answers.filter(early).height
    edges = list(_edges(evidence.ways))
    if not edges:
        return wrong
    parts = answers.group_by(PART).agg(
        asked=pl.col("asked_us").min(),
        won=pl.col("finished_us").filter(pl.col("won") == 1).min(),
    )
    lost = pl.col("won").is_null().any()
    steps = parts.group_by("task_id", "step").agg(
        asked=pl.col("asked").min(), won=pl.when(~lost).then(pl.col("won").max())
    )
    taken = evidence.taken[block.start : block.stop]
    for number, before, after in edges:
        of_flow = block.start + np.flatnonzero(taken == number)
        mine = steps.filter(pl.col("task_id").is_in(of_flow))
        pairs = mine.filter(pl.col("step") == after).join(
            mine.filter(pl.col("step") == before), on="task_id", how="left"
        )
        wrong += pairs.filter(~(pl.col("asked") >= pl.col("won_right")).fill_null(False)).height
    return wrong


def _edges(ways: Ways) -> Iterator[tuple[int, int, int]]:
    """The flow, a step of it, and a step that comes after that."""
    for number, flow in enumerate(ways.flows):
        for part in flow.parts:
            for before in part.before:
                yield number, flow.parts[before].code, part.code


def over_budget(evidence: Evidence) -> int:
    """How many calls took what their agent's day, or their task, cost beyond the budget for it.

    The budget is that of the time at which the call's task was posted; what counts against it is
    all that the same agent's calls of the same day, or the same task's, cost until then. A call
    that cost nothing takes nothing, even of a budget that an event has cut below what was spent.
    """
    calls, every = evidence.calls, phases(evidence.frames.scenario)
    group = evidence.names.group_of_agent[calls.agent]
    number = every.of(of_tasks(evidence.frames, "posted_us"))
    days = calls.agent * (1 + calls.posted_us.max(initial=0) // US_PER_DAY)
    days += calls.posted_us // US_PER_DAY
    over = 0
    for key, column in (("budget_per_day_usd", days), ("budget_per_task_usd", calls.task_id)):
        budgets = _budgets_micros(every, key)[number, group]
        limited = (budgets >= 0).any()
        spent = _running(column, calls.charge_micros) if limited else budgets
        took = (budgets >= 0) & (calls.charge_micros > 0)
        over += int((took & (spent > budgets)).sum())
    return over


def _budgets_micros(every: Phases, key: str) -> Int64Array:
    """By phase and group; -1 where there is no such budget."""
    found = [[getattr(g, key) for g in phase.scenario.groups.values()] for phase in every]
    return np.array(
        [[-1 if usd is None else micros_from_usd_exact(usd) for usd in row] for row in found]
    )


def _running(of: Int64Array, micros: Int64Array) -> Int64Array:
    """Amounts added up, in their order, separately for each value of ``of``."""
    order = np.argsort(of, kind="stable")
    sums = np.cumsum(micros[order])
    first = np.flatnonzero(np.diff(of[order], prepend=of[order][:1] - 1))
    before = np.repeat(sums[first] - micros[order][first], np.diff(first, append=len(of)))
    found = np.empty_like(sums)
    found[order] = sums - before
    return found
