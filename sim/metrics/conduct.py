"""Figures of how agents went about their tasks: calls per task, hosting, leaving, lateness."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from sim.agents import Worth, flows_of
from sim.metrics.definitions import ConductFigures
from sim.record.frames import Frames
from sim.units import US_PER_HOUR, Int64Array, micros_from_usd_exact, ratio_nearest

HOSTING = ("self_host", "stop_hosting")


def conduct(frames: Frames) -> ConductFigures:
    """The figures of a record."""
    tasks, made = frames.tasks, frames.decisions["decision"].cast(pl.String)
    counts: Mapping[str, int] = dict(made.value_counts().iter_rows())
    calls = tasks["calls"]
    tokens = int((frames.calls["input_tokens"] + frames.calls["output_tokens"]).sum())
    return ConductFigures(
        calls_per_task=int(calls.sum()) / len(tasks) if len(tasks) else None,
        calls_per_task_max=None if calls.is_empty() else int(calls.to_numpy().max()),
        tokens_per_task=ratio_nearest(tokens, len(tasks)),
        abandoned=int((tasks["reason"].cast(pl.String) == "gave_up").sum()),
        own_answers=len(frames.own_answers),
        self_host_micros=sum(self_host_micros(frames).values()),
        switches=counts.get("switch", 0),
        departures=counts.get("leave", 0),
        returns=counts.get("return", 0),
    )


def answers_asked(frames: Frames, group: Int64Array) -> Int64Array:
    """How many answers each call's task asks for, so that each is worth an equal part of it.

    Args:
        group: of each call's agent, by position.
    """
    scenario = frames.scenario
    asked = np.ones((len(scenario.groups), len(scenario.intents)), np.int64)
    for number, each in enumerate(scenario.groups.values()):
        for intent, flow in flows_of(scenario, each).items():
            asked[number, intent] = flow.answers
    calls, tasks = (frame["task_id"].to_numpy() for frame in (frames.calls, frames.tasks))
    intents = np.zeros(1 + max(calls.max(initial=-1), tasks.max(initial=-1)), np.int64)
    intents[tasks] = frames.tasks["intent"].to_physical().to_numpy()
    found: Int64Array = asked[group, intents[calls]]
    return found


def self_host_micros(frames: Frames) -> dict[str, int]:
    """What each group's agents paid for machines of their own, outside the market, by its id.

    The hours from `SELF_HOST` to `STOP_HOSTING`, or to the end, at the fixed cost; rounded per
    group to the nearest micro.
    """
    kinds = frames.decisions["decision"].cast(pl.String)
    hosting = frames.decisions.filter(kinds.is_in(HOSTING))
    groups = hosting["group"].cast(pl.String)
    found: dict[str, int] = {}
    for group_id, group in frames.scenario.groups.items():
        rule = group.outside.self_host
        if rule is None:
            continue
        mine = hosting.filter(groups == group_id)
        starts = mine["decision"].cast(pl.String) == "self_host"
        signs = np.where(starts.to_numpy(), -1, 1)
        spent_us = int((signs * mine["time_us"].to_numpy()).sum())
        spent_us += -int(signs.sum()) * frames.duration_us
        hour_micros = micros_from_usd_exact(rule.usd_per_hour)
        found[group_id] = (2 * hour_micros * spent_us + US_PER_HOUR) // (2 * US_PER_HOUR)
    return found


def realised_micros(frames: Frames) -> dict[str, int]:
    """What each group's successes were worth when they came: less than the value if late."""
    won = frames.tasks.filter(pl.col("outcome") == "succeeded")
    groups, found = won["group"].cast(pl.String), {}
    for group_id, group in frames.scenario.groups.items():
        mine = won.filter(groups == group_id)
        total = int(mine["value_micros"].sum())
        if group.lateness is not None:
            worth, took = Worth(group), (mine["ended_us"] - mine["posted_us"]).to_list()
            values = mine["value_micros"].to_list()
            total = sum(worth(value, us) for value, us in zip(values, took, strict=True))
        found[group_id] = total
    return found
