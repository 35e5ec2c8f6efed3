"""Figures by intent: whose models answer which kind of task."""

from typing import Annotated

import numpy as np

from sim.metrics.parts import Part, means
from sim.record.frames import Frames, codes
from sim.record.terms import of_tasks
from sim.units import Int64Array


class IntentFigures(Part):
    """One kind of task."""

    calls: Annotated[int, means("calls", "made for tasks of this intent")]
    first: Annotated[str | None, means("model", "with most of these calls")]
    first_share: Annotated[float | None, means("share", "its calls / the intent's")]
    second: Annotated[str | None, means("model", "with most of the others")]
    second_share: Annotated[float | None, means("share", "its calls / the intent's")]


def intent_figures(frames: Frames) -> dict[str, IntentFigures]:
    """Figures of every intent that agents have asked for, in the scenario's order.

    Of two models with as many calls, the scenario's earlier one comes first.
    """
    intents, models = list(frames.scenario.intents), list(frames.scenario.models)
    pair = of_tasks(frames, "intent") * len(models) + codes(frames.calls["model"])
    counts = np.bincount(pair, minlength=len(intents) * len(models))
    by_intent: Int64Array = counts.reshape(len(intents), len(models))
    return {
        intent: _figures(row, models)
        for intent, row in zip(intents, by_intent, strict=True)
        if row.any()
    }


def _figures(counts: Int64Array, models: list[str]) -> IntentFigures:
    total = int(counts.sum())
    ranked = [at for at in np.argsort(-counts, kind="stable") if counts[at]]
    first, second = (ranked[at] if at < len(ranked) else None for at in (0, 1))
    return IntentFigures(
        calls=total,
        first=None if first is None else models[first],
        first_share=None if first is None else int(counts[first]) / total,
        second=None if second is None else models[second],
        second_share=None if second is None else int(counts[second]) / total,
    )
