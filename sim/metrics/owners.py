"""Figures by owner: what a model's own agents buy from it, and who is paid behind many names."""

import polars as pl

from sim.record.frames import Frames


def own_calls(frames: Frames) -> dict[str, int]:
    """Calls to each model by agents of its owner (wash trades), by the model's id."""
    models, groups = frames.scenario.models, frames.scenario.groups
    calls = frames.calls.group_by("model", "group").len()
    found = dict.fromkeys(models, 0)
    for model, group, count in calls.iter_rows():
        owner = models[model].owner
        if owner is not None and owner == groups[group].owner:
            found[model] += int(count)
    return found


def spend_by_owner(frames: Frames) -> list[int]:
    """Micros charged by each owner's models together; a model without one owns itself."""
    spend = frames.calls.group_by("model").agg(pl.col("charge_micros").sum())
    found: dict[tuple[str, str], int] = {}
    for model, micros in spend.iter_rows():
        owner = frames.scenario.models[model].owner
        whose = ("model", model) if owner is None else ("owner", owner)
        found[whose] = found.get(whose, 0) + int(micros)
    return list(found.values())
