"""Gains: what each group's agents got out of a run, and what it cost them."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from sim.agents import Worth
from sim.record.frames import Frames
from sim.scenario.phases import Phases, phases
from sim.units import (
    US_PER_HOUR,
    Int64Array,
    micros_from_usd_exact,
    us_from_seconds_nearest,
)

HOSTING = ("self_host", "stop_hosting")


@dataclass(frozen=True, slots=True)
class Gains:
    """A group's gains and what they cost, all in micros.

    Args:
        value_micros: of its tasks that succeeded, as late as they came.
        spend_micros: its charges. slash_micros: what models owed it.
        self_host_micros: its own machines.
    """

    value_micros: int
    spend_micros: int
    slash_micros: int
    self_host_micros: int

    @property
    def cost_micros(self) -> int:
        """All that its agents paid, in the market and outside, less what came back."""
        return self.spend_micros - self.slash_micros + self.self_host_micros

    @property
    def surplus_micros(self) -> int:
        """What they have gained."""
        return self.value_micros - self.cost_micros


def gains_of(frames: Frames) -> dict[str, Gains]:
    """The gains of every group, by its id."""
    moved = frames.calls.group_by(pl.col("group").cast(pl.String)).agg(
        pl.col("charge_micros").sum(), pl.col("slash_micros").sum()
    )
    paid = {group: (spend, slashed) for group, spend, slashed in moved.iter_rows()}
    value, hosting = _realised_micros(frames), _self_host_micros(frames)
    return {
        group: Gains(value[group], *paid.get(group, (0, 0)), hosting.get(group, 0))
        for group in frames.scenario.groups
    }


def _self_host_micros(frames: Frames) -> dict[str, int]:
    """What each group's agents paid for machines of their own, where they may have some.

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


def _realised_micros(frames: Frames) -> dict[str, int]:
    """What each group's successes were worth when they came: less than the value if late."""
    won = frames.tasks.filter(pl.col("outcome") == "succeeded")
    groups, every, found = won["group"].cast(pl.String), phases(frames.scenario), {}
    for group_id, group in frames.scenario.groups.items():
        mine = won.filter(groups == group_id)
        if group.lateness is None:
            found[group_id] = int(mine["value_micros"].sum())
            continue
        values, took = mine["value_micros"], mine["ended_us"] - mine["posted_us"]
        deadlines = _deadlines_us(every, group_id, mine["posted_us"].to_numpy())
        terms = (values.to_list(), took.to_list(), deadlines.tolist())
        found[group_id] = sum(map(Worth(group), *terms))
    return found


def _deadlines_us(every: Phases, group_id: str, posted_us: Int64Array) -> Int64Array:
    """How long each task of a group had, by when it was posted."""
    seconds = [phase.scenario.groups[group_id].deadline_s for phase in every]
    found: Int64Array = np.array(list(map(us_from_seconds_nearest, seconds)), np.int64)[
        every.of(posted_us)
    ]
    return found
