"""Every number a report shows, defined once."""

from sim.metrics.conduct import ConductFigures
from sim.metrics.definitions import (
    ChainFigures,
    Figures,
    LawFigures,
    RailFigures,
    Summary,
    Timing,
    dictionary,
)
from sim.metrics.fold import call_counts, figures, task_counts
from sim.metrics.gas import usd_of_gas
from sim.metrics.networks import graph_files
from sim.metrics.prices import PriceFigures

__all__ = [
    "ChainFigures", "ConductFigures", "Figures", "LawFigures", "PriceFigures", "RailFigures",
    "Summary", "Timing", "call_counts", "dictionary", "figures", "graph_files", "task_counts",
    "usd_of_gas",
]  # fmt: skip
