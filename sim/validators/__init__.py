"""Validators: how they agree on a verdict (`agreeing`), and what verdicts make a score (`scoring`).

To add a way of agreeing, write a small class with ``kind`` and ``agreed``; to add a way of scoring,
one with ``kind``, ``starts`` and ``running``; and name it in the union and in the table.
"""

from typing import Annotated

from pydantic import Field

from sim.validators.agreeing import Mean, Median, Yuma, verdict_ppm, weighted_medians
from sim.validators.scoring import SCORES, Beta, Cumulative, Ewma, Running, ScoreRule, Window

__all__ = [
    "SCORES", "VALIDATORS", "Beta", "Cumulative", "Ewma", "Mean", "Median", "Running", "ScoreRule",
    "Validators", "Window", "Yuma", "verdict_ppm", "weighted_medians",
]  # fmt: skip

Validators = Annotated[Median | Mean | Yuma, Field(discriminator="kind")]
VALIDATORS = {"median": Median, "mean": Mean, "yuma": Yuma}
