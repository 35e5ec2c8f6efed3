"""Shares as they were reported of a real market, beside those of the run."""

import polars as pl

from sim.metrics.parts import ReportedFigures
from sim.record import ANSWERED_NAMES
from sim.record.frames import Frames
from sim.record.terms import calls_by_phase
from sim.scenario.reported import Reported
from sim.units import us_from_hours_nearest

TOKENS = ("model", "posted_us", "reason", "input_tokens", "output_tokens")


def reported(frames: Frames) -> dict[str, ReportedFigures]:
    """Every share that the scenario says was reported, with the run's own and the error."""
    return {name: _beside(frames, each) for name, each in frames.scenario.reported.items()}


def _beside(frames: Frames, one: Reported) -> ReportedFigures:
    start_us, end_us = us_from_hours_nearest(one.from_h), us_from_hours_nearest(one.to_h)
    meant = pl.col("posted_us").is_between(start_us, end_us, closed="left")
    answered = pl.col("reason").is_in(ANSWERED_NAMES)
    tokens = pl.col("input_tokens").sum() + pl.col("output_tokens").sum()
    own = whole = 0
    for now, calls in calls_by_phase(frames, *TOKENS):
        of_model = calls.filter(meant, answered).group_by("model").agg(tokens)
        for model, count in of_model.iter_rows():
            origin = now.models[model].origin
            whole += int(count) if one.counts(origin) else 0
            own += int(count) if one.counts(origin) and origin == one.origin else 0
    share = own / whole if whole else None
    return ReportedFigures(
        reported=one.share_tokens,
        share_tokens=share,
        error=None if share is None else share - one.share_tokens,
        fitted=one.fitted,
    )
