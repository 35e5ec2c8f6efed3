"""Figures of how agents went about their tasks: calls per task, hosting, leaving, lateness."""

from collections.abc import Iterable, Mapping
from typing import Annotated

import polars as pl

from sim.agents import Ways
from sim.metrics.gains import Gains
from sim.metrics.parts import Part
from sim.metrics.parts import means as _is
from sim.record.frames import Frames
from sim.record.terms import of_tasks
from sim.units import Int64Array, ratio_nearest


class ConductFigures(Part):
    """How agents went about their tasks."""

    calls_per_task: Annotated[float | None, _is("calls", "calls made / tasks posted")]
    calls_per_task_max: Annotated[int | None, _is("calls", "most calls of one task")]
    tokens_per_task: Annotated[
        int | None, _is("tokens", "prompts and answers of all calls / tasks posted, nearest")
    ]
    abandoned: Annotated[int, _is("tasks", "given up by choice before their attempts ran out")]
    own_answers: Annotated[int, _is("answers", "given by agents' own machines, outside the market")]
    self_host_micros: Annotated[int, _is("micros", "sum of the groups' self_host_micros")]
    switches: Annotated[int, _is("decisions", "agents that left the model they used for another")]
    departures: Annotated[int, _is("decisions", "agents that left the market")]
    returns: Annotated[int, _is("decisions", "agents that came back to it")]


def conduct(frames: Frames, gains: Iterable[Gains]) -> ConductFigures:
    """The figures of a record, in which groups have these gains."""
    tasks, made = frames.tasks, frames.decisions["decision"].cast(pl.String)
    counts: Mapping[str, int] = dict(made.value_counts().iter_rows())
    calls = tasks["calls"]
    tokens = int((frames.calls["input_tokens"] + frames.calls["output_tokens"]).sum())
    return ConductFigures(
        calls_per_task=int(calls.sum()) / len(tasks) if len(tasks) else None,
        calls_per_task_max=None if calls.is_empty() else int(calls.to_numpy().max()),
        tokens_per_task=ratio_nearest(tokens, len(tasks)),
        abandoned=int((tasks["reason"] == "gave_up").sum()),
        own_answers=len(frames.own_answers),
        self_host_micros=sum(each.self_host_micros for each in gains),
        switches=counts.get("switch", 0),
        departures=counts.get("leave", 0),
        returns=counts.get("return", 0),
    )


def answers_asked(frames: Frames, group: Int64Array) -> Int64Array:
    """How many answers each call's task asks for, so that each is worth an equal part of it.

    Args:
        group: of each call's agent, by position.
    """
    ways = Ways(frames.scenario)
    posted_us, intent = (of_tasks(frames, each) for each in ("posted_us", "intent"))
    return ways.answers(ways.of(posted_us, group, intent))
