"""Every number a report shows, defined once."""

from sim.metrics.definitions import (
    ChainFigures,
    Figures,
    LawFigures,
    Summary,
    Timing,
    dictionary,
)
from sim.metrics.fold import figures

__all__ = [
    "ChainFigures", "Figures", "LawFigures", "Summary", "Timing", "dictionary", "figures",
]  # fmt: skip
