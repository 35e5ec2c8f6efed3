"""Time cut into at most 200 bins of a round width, and counts per bin and model."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from sim.record import ANSWERED_NAMES
from sim.units import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_S, Int64Array

BINS_MAX = 144
BINS_MIN = 24
CALLS_PER_BIN = 40
WIDTHS = (
    *(step * 10**power for power in range(6) for step in (1, 2, 5)),
    *(US_PER_S * step for step in (1, 2, 5, 10, 15, 30)),
    *(US_PER_MINUTE * step for step in (1, 2, 5, 10, 15, 30)),
    *(US_PER_HOUR * step for step in (1, 2, 3, 6, 12)),
    *(US_PER_DAY * step for step in (1, 2, 7, 14, 28, 91, 182, 364)),
)
UNITS = (
    (US_PER_DAY * 4, US_PER_DAY, "days"),
    (US_PER_HOUR * 3, US_PER_HOUR, "hours"),
    (US_PER_MINUTE * 3, US_PER_MINUTE, "minutes"),
    (US_PER_S, US_PER_S, "seconds"),
    (0, 1_000, "milliseconds"),
)
SUMS = ("calls", "tokens", "charge", "right", "answers", "score")


@dataclass(frozen=True, slots=True)
class Bins:
    """``count`` bins of ``width_us`` from time 0; pictures show time in ``unit``."""

    width_us: int
    count: int
    unit_us: int
    unit: str

    def middles(self) -> list[float]:
        """The middle of each bin, in the unit."""
        return [round((at + 0.5) * self.width_us / self.unit_us, 4) for at in range(self.count)]

    @property
    def title(self) -> str:
        """The title of a time axis."""
        return f"{self.unit} since the start"

    def of(self, column: str) -> pl.Expr:
        """The bin of a time column, as ``bin``."""
        return (pl.col(column) // self.width_us).clip(0, self.count - 1).alias("bin")


def bins_for(duration_us: int, calls: int, most: int = BINS_MAX) -> Bins:
    """Bins of a round width, fewer where there are few calls."""
    wanted = min(most, max(BINS_MIN, calls // CALLS_PER_BIN))
    least = max(1, -(-(duration_us + 1) // wanted))
    years = WIDTHS[-1] * -(-least // WIDTHS[-1])
    width = next((width for width in WIDTHS if width >= least), years)
    unit_us, unit = next((size, name) for from_us, size, name in UNITS if duration_us >= from_us)
    return Bins(width, -(-(duration_us + 1) // width), unit_us, unit)


@dataclass(frozen=True)
class Grid:
    """Sums per model and bin of the calls posted in it: (models, bins) arrays.

    ``calls``, ``right`` (in time) and ``answers`` are counts; ``tokens`` those of answered calls,
    ``charge`` in micros, ``score`` the sum of verdicts in ppm.
    """

    bins: Bins
    calls: Int64Array
    tokens: Int64Array
    charge: Int64Array
    right: Int64Array
    answers: Int64Array
    score: Int64Array

    def coarser(self, most: int) -> "Grid":
        """The same sums over at most ``most`` bins, each several of these."""
        bins = self.bins
        step = -(-bins.count // max(1, most))
        starts = np.arange(0, bins.count, step)
        wide = Bins(bins.width_us * step, len(starts), bins.unit_us, bins.unit)
        return Grid(wide, *(np.add.reduceat(getattr(self, name), starts, axis=1) for name in SUMS))


def grid_query(calls: pl.LazyFrame, bins: Bins) -> pl.LazyFrame:
    """The sums of `Grid` by bin and model."""
    answered = pl.col("reason").is_in(ANSWERED_NAMES) & (pl.col("status") != "in_flight")
    tokens = pl.col("input_tokens") + pl.col("output_tokens")
    return calls.group_by(bins.of("posted_us"), pl.col("model").to_physical()).agg(
        calls=pl.len(),
        tokens=tokens.filter(answered).sum(),
        charge=pl.col("charge_micros").sum(),
        right=pl.col("success").sum(),
        answers=answered.sum(),
        score=pl.col("score_ppm").filter(answered).sum(),
    )


def spread(rows: pl.DataFrame, column: str, models: int, bins: Bins) -> Int64Array:
    """A column of rows by ``bin`` and ``model`` as a (models, bins) array, zero where none is."""
    table = np.zeros((models, bins.count), np.int64)
    places = rows["model"].cast(pl.Int64).to_numpy(), rows["bin"].cast(pl.Int64).to_numpy()
    table[places] = rows[column].cast(pl.Int64).to_numpy()
    return table


def grid_of(rows: pl.DataFrame, models: int, bins: Bins) -> Grid:
    """The grid that the rows of `grid_query` fill."""
    return Grid(bins, *(spread(rows, name, models, bins) for name in SUMS))
