"""Figures by owner: what a model's own agents buy from it, and who is paid behind many names.

An owner is who it was when a call was posted.
"""

import polars as pl

from sim.record.frames import Frames
from sim.record.terms import calls_by_phase


def own_calls(frames: Frames) -> dict[str, int]:
    """Calls to each model by agents of its owner (wash trades), by the model's id."""
    found = dict.fromkeys(frames.scenario.models, 0)
    for now, calls in calls_by_phase(frames, "model", "group"):
        for model, group, count in calls.group_by("model", "group").len().iter_rows():
            owner = now.models[model].owner
            if owner is not None and owner == now.groups[group].owner:
                found[model] += int(count)
    return found


def spend_by_owner(frames: Frames) -> list[int]:
    """Micros charged by each owner's models together; a model without one owns itself."""
    found: dict[tuple[str, str], int] = {}
    for now, calls in calls_by_phase(frames, "model", "charge_micros"):
        spend = calls.group_by("model").agg(pl.col("charge_micros").sum())
        for model, micros in spend.iter_rows():
            owner = now.models[model].owner
            whose = ("model", model) if owner is None else ("owner", owner)
            found[whose] = found.get(whose, 0) + int(micros)
    return list(found.values())
