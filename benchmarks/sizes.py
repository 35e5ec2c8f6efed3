"""How large the workloads are: in tasks of scenarios/bench-20.yaml."""

from dataclasses import dataclass
from pathlib import Path

from sim.scenario import Scenario, load

ROOT = Path(__file__).resolve().parents[1]
BENCH_20 = ROOT / "scenarios" / "bench-20.yaml"
AGENTS = {"chat": (120, 240), "coders": (80, 180)}


@dataclass(frozen=True, slots=True)
class Sizes:
    """Tasks of a short and a long run, of one to settle and one per router; how often each is done.

    ``naive`` calls are settled by every rail, ten times as many by ``batch``.

    With ``busier`` above 1, there are so many times fewer agents, each so many times busier.
    """

    small: int
    large: int
    settled: int
    rounds: int
    long_rounds: int
    chain_rounds: int
    routed: int
    naive: int
    busier: int = 1

    def changes(self, tasks: int) -> dict[str, int]:
        """What a run of so many tasks changes in bench-20."""
        changes = {"tasks": tasks}
        if self.busier > 1:
            for group, (count, per_hour) in AGENTS.items():
                changes[f"groups.{group}.count"] = count // self.busier
                changes[f"groups.{group}.arrival.per_hour"] = per_hour * self.busier
        return changes

    def scenario(self, tasks: int) -> Scenario:
        """bench-20 at a size."""
        return load(BENCH_20, self.changes(tasks))


FULL = Sizes(
    small=43_600,
    large=875_000,
    settled=87_200,
    rounds=5,
    long_rounds=3,
    chain_rounds=3,
    routed=4_000,
    naive=4_000,
)
"""About 50,000, 1,000,000 and 100,000 calls."""

QUICK = Sizes(
    small=500,
    large=2_000,
    settled=2_000,
    rounds=1,
    long_rounds=1,
    chain_rounds=1,
    routed=100,
    naive=60,
    busier=10,
)
