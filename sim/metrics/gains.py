"""Gains: what each group's agents got out of a run, and what it cost them."""

from dataclasses import dataclass
from itertools import repeat

import numpy as np
import polars as pl

from sim.agents import Worth
from sim.record.frames import Frames
from sim.scenario.phases import phases
from sim.scenario.schema import Group
from sim.units import US_PER_HOUR, micros_from_usd_exact, us_from_seconds_nearest

OF_SUCCESSES = ("group", "posted_us", "ended_us", "value_micros")
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
    moved = frames.calls.group_by("group").agg(
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

    The hours from `SELF_HOST` to `STOP_HOSTING`, or to the end, at the fixed cost of their time;
    rounded per group to the nearest micro.
    """
    kinds, every = frames.decisions["decision"].cast(pl.String), phases(frames.scenario)
    hosting = frames.decisions.filter(kinds.is_in(HOSTING))
    groups = hosting["group"].cast(pl.String)
    ends_us = [*every.starts_us[1:], frames.duration_us]
    found: dict[str, int] = {}
    for group_id in frames.scenario.groups:
        rules = [phase.scenario.groups[group_id].outside.self_host for phase in every]
        if not any(rules):
            continue
        mine = hosting.filter(groups == group_id)
        hosted_us = [0, *(_hosted_us(mine, min(at, frames.duration_us)) for at in ends_us)]
        total = sum(
            micros_from_usd_exact(rule.usd_per_hour) * (until - since)
            for rule, since, until in zip(rules, hosted_us[:-1], hosted_us[1:], strict=True)
            if rule is not None
        )
        found[group_id] = (2 * total + US_PER_HOUR) // (2 * US_PER_HOUR)
    return found


def _hosted_us(decisions: pl.DataFrame, until_us: int) -> int:
    """How long agents have hosted by a time, added up over them."""
    made = decisions.filter(pl.col("time_us") < until_us)
    starts = made["decision"].cast(pl.String) == "self_host"
    signs = np.where(starts.to_numpy(), 1, -1)
    return int((signs * (until_us - made["time_us"].to_numpy())).sum())


def _realised_micros(frames: Frames) -> dict[str, int]:
    """What each group's successes were worth when they came: less than the value if late."""
    ended, every = frames.tasks.lazy(), phases(frames.scenario)
    won = ended.filter(pl.col("outcome") == "succeeded").select(OF_SUCCESSES).collect()
    groups, number = won["group"], every.of(won["posted_us"].to_numpy())
    found: dict[str, int] = {}
    for group_id in frames.scenario.groups:
        of_group = (groups == group_id).to_numpy()
        found[group_id] = sum(
            _worth_micros(phase.scenario.groups[group_id], won.filter(of_group & (number == at)))
            for at, phase in enumerate(every)
        )
    return found


def _worth_micros(group: Group, won: pl.DataFrame) -> int:
    """What these tasks of a group were worth, by its terms of the phase in which they came."""
    if group.lateness is None:
        return int(won["value_micros"].sum())
    deadline_us = us_from_seconds_nearest(group.deadline_s)
    took = (won["ended_us"] - won["posted_us"]).to_list()
    return sum(map(Worth(group), won["value_micros"].to_list(), took, repeat(deadline_us)))
