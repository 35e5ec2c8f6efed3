"""Every number a report shows, defined once."""

from sim.metrics.definitions import (
    ChainFigures,
    ConductFigures,
    Figures,
    LawFigures,
    Summary,
    Timing,
    dictionary,
)
from sim.metrics.fold import figures
from sim.metrics.networks import graph_files
from sim.metrics.prices import PriceFigures

__all__ = [
    "ChainFigures", "ConductFigures", "Figures", "LawFigures", "PriceFigures", "Summary", "Timing",
    "dictionary", "figures", "graph_files",
]  # fmt: skip
