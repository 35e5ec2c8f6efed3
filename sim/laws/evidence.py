"""What the laws look at."""

from dataclasses import dataclass

from sim.ledger import Ledger
from sim.metrics import Figures
from sim.record import Calls
from sim.record.frames import Frames, Names, calls_from_frame


@dataclass(frozen=True)
class Parity:
    """What the audit of the chain found; ``faults`` counts all that is wrong."""

    difference_micros: int
    calls_missing: int
    calls_unexpected: int
    calls_differing: int
    faults: int


@dataclass(frozen=True)
class Evidence:
    """What the laws look at: the saved record, its figures before and after, ledger, chain."""

    frames: Frames
    figures: Figures
    figures_before: Figures
    parity: Parity | None
    ledger: Ledger
    names: Names
    calls: Calls

    @classmethod
    def gather(
        cls, frames: Frames, figures: Figures, figures_before: Figures, parity: Parity | None,
        ledger: Ledger,
    ) -> "Evidence":  # fmt: skip
        """Evidence, with the columns behind the frames."""
        names, calls = Names(frames.scenario), calls_from_frame(frames.calls)
        return cls(frames, figures, figures_before, parity, ledger, names, calls)
