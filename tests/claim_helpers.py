"""Claims of shipped scenarios: variants under the same seeds, and intervals of differences."""

from collections.abc import Mapping
from pathlib import Path

from sim.experiment.compare import Comparison, compare, comparison
from sim.experiment.session import opened
from sim.experiment.statistics import Interval
from sim.scenario import load

ROOT = Path(__file__).parents[1]
BASE = "as it is"
Changes = Mapping[str, object]


def compared(
    out: Path, name: str, others: Mapping[str, Changes], reps: int, **common: object
) -> Comparison:  # fmt: skip
    """A shipped scenario against variants of itself, on common random numbers, without a chain.

    Args:
        others: each variant's changes by path. common: changes of all, dots written as ``__``.
    """
    path = ROOT / "scenarios" / f"{name}.yaml"
    shared = {"chain.backend": "none"} | {k.replace("__", "."): v for k, v in common.items()}
    designs = {BASE: load(path, shared)}
    designs |= {label: load(path, {**shared, **changes}) for label, changes in others.items()}
    with opened(comparison(designs), out, 1) as session:
        return compare(designs, session, reps)


def difference(found: Comparison, other: str, metric: str) -> Interval:
    """Other - base."""
    return found.differences[other][metric].difference


def relative(found: Comparison, other: str, metric: str) -> Interval:
    """(Other - base) / base."""
    interval = found.differences[other][metric].relative
    assert interval is not None
    return interval


def mean(found: Comparison, metric: str, design: str = BASE) -> Interval:
    """A metric's mean over the replications."""
    return found.means[design][metric]


def within(interval: Interval, least: float, most: float) -> bool:
    """Whether the whole interval lies between two values."""
    assert interval.low is not None
    assert interval.high is not None
    return least <= interval.low <= interval.high <= most
