"""What a workload finds: figures with their targets, and counts that must be exact."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from sim.facts import TelexError

COUNTS = Path(__file__).with_name("counts.json")


class CountError(TelexError):
    """A count is not what it must be: the workload is not the one it says it is."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure; ``target`` is the least it should be, or the most if ``at_most``."""

    name: str
    value: float
    unit: str = ""
    target: float | None = None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None if there is none."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    def as_json(self) -> dict[str, object]:
        """The figure as it stands in the results."""
        limits = {"target": self.target, "at_most": self.at_most, "met": self.met}
        kept = limits if self.target is not None else {}
        return {"value": float(f"{self.value:.4g}"), "unit": self.unit} | kept


@dataclass
class Report:
    """A workload's figures and exact counts."""

    figures: list[Figure] = field(default_factory=list)
    counts: dict[str, int | str] = field(default_factory=dict)

    def add(self, *figures: Figure) -> None:
        """Takes figures."""
        self.figures += figures

    def exactly(self, name: str, found: int | str, needed: int | str) -> None:
        """Takes a count; raises `CountError` if it is not what is needed."""
        self.counts[name] = found
        if found != needed:
            raise CountError(f"{name}: found {found}, needed {needed}")

    def as_json(self) -> dict[str, object]:
        """The report as it stands in the results."""
        return {
            "figures": {figure.name: figure.as_json() for figure in self.figures},
            "counts": self.counts,
        }


@dataclass(frozen=True)
class Pins:
    """The calls that each size of bench-20 makes, as committed in counts.json.

    A market that changes makes other calls, and is then no longer compared with its past: its
    numbers are pinned anew by ``python -m benchmarks --pin``.
    """

    calls: dict[str, int]
    renew: bool

    @classmethod
    def read(cls, renew: bool = False) -> "Pins":
        """The committed counts."""
        return cls(json.loads(COUNTS.read_text()) if COUNTS.exists() else {}, renew)

    def check(self, report: Report, tasks: int, calls: int) -> None:
        """Compares a run's calls with what is pinned, or pins them."""
        if self.renew:
            self.calls[str(tasks)] = calls
            COUNTS.write_text(json.dumps(self.calls, indent=2, sort_keys=True) + "\n")
        needed = self.calls.get(str(tasks))
        if needed is None:
            raise CountError(f"calls of {tasks} tasks are not pinned: python -m benchmarks --pin")
        report.exactly(f"calls_of_{tasks}_tasks", calls, needed)
