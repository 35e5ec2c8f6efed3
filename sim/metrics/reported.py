"""Shares as they were reported of a real market, beside those of the run."""

import polars as pl

from sim.metrics.parts import ReportedFigures
from sim.record import ANSWERED_NAMES
from sim.record.frames import Frames
from sim.scenario.reported import Reported
from sim.units import us_from_hours_nearest


def reported(frames: Frames) -> dict[str, ReportedFigures]:
    """Every share that the scenario says was reported, with the run's own and the error."""
    return {name: _beside(frames, each) for name, each in frames.scenario.reported.items()}


def _beside(frames: Frames, one: Reported) -> ReportedFigures:
    models = frames.scenario.models
    start_us, end_us = us_from_hours_nearest(one.from_h), us_from_hours_nearest(one.to_h)
    tokens = (
        frames.calls.filter(
            pl.col("posted_us").is_between(start_us, end_us, closed="left"),
            pl.col("reason").is_in(ANSWERED_NAMES),
        )
        .group_by("model")
        .agg(pl.col("input_tokens").sum() + pl.col("output_tokens").sum())
    )
    counted = {m: int(n) for m, n in tokens.iter_rows() if one.counts(models[m].origin)}
    own = sum(n for model, n in counted.items() if models[model].origin == one.origin)
    whole = sum(counted.values())
    share = own / whole if whole else None
    return ReportedFigures(
        reported=one.share_tokens,
        share_tokens=share,
        error=None if share is None else share - one.share_tokens,
        fitted=one.fitted,
    )
