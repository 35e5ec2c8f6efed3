"""Objectives and conditions on metrics, as a command line says them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from sim.experiment.measures import known, quantity
from sim.facts import Fault, ScenarioError
from sim.scenario import Scenario

CONDITION = re.compile(r"\s*(.+?)\s*(<=|>=|<|>)\s*([^<>=]+?)\s*")
EXAMPLE = "METRIC<LIMIT or METRIC>=LIMIT, as latency_us.p95<8s or success_rate>=90%"


@dataclass(frozen=True)
class Objective:
    """A metric to be made as small, or as large, as can be."""

    metric: str
    maximise: bool

    @property
    def sign(self) -> int:
        """-1 if larger is better: times this, less is better."""
        return -1 if self.maximise else 1

    def __str__(self) -> str:
        return f"{'maximise' if self.maximise else 'minimise'} {self.metric}"


@dataclass(frozen=True)
class Condition:
    """A limit to a metric, in the metric's own unit; ``above`` if the metric must be over it."""

    metric: str
    above: bool
    limit: float
    text: str

    @classmethod
    def parse(cls, text: str, scenario: Scenario, option: str) -> Self:
        """From ``latency_us.p95<8s``, ``success_rate>=0.9``; a limit reached counts as kept.

        Raises `ScenarioError` for anything else, an unknown metric (with the nearest), or a unit
        that the metric does not have.
        """
        match = CONDITION.fullmatch(text)
        if not match:
            raise ScenarioError((Fault(option, repr(text), EXAMPLE),))
        measure = known(match[1], scenario, option)
        limit = quantity(match[3], measure, option)
        return cls(match[1], match[2].startswith(">"), limit, text.strip())

    def excess(self, value: float) -> float:
        """How far a value is beyond the limit; at most 0 if the condition is kept."""
        return self.limit - value if self.above else value - self.limit


def objectives(
    minimise: Sequence[str], maximise: Sequence[str], scenario: Scenario
) -> list[Objective]:
    """Objectives by name; raises `ScenarioError` if there are none, or one is no metric."""
    if not minimise and not maximise:
        fault = Fault("--minimise, --maximise", "nothing", "at least one metric")
        raise ScenarioError((fault,))
    for option, names in (("--minimise", minimise), ("--maximise", maximise)):
        for name in names:
            known(name, scenario, option)
    both = [name for name in dict.fromkeys([*minimise, *maximise])
            if [*minimise, *maximise].count(name) > 1]  # fmt: skip
    if both:
        fault = Fault("--minimise, --maximise", f"{both[0]} more than once", "each metric once")
        raise ScenarioError((fault,))
    return [*(Objective(name, False) for name in minimise),
            *(Objective(name, True) for name in maximise)]  # fmt: skip


def one_objective(
    minimise: str | None, maximise: str | None, scenarios: Sequence[Scenario]
) -> Objective | None:
    """At most one objective, a metric of every scenario; raises `ScenarioError` otherwise."""
    if minimise and maximise:
        fault = Fault("--minimise, --maximise", "both", "one metric to select by")
        raise ScenarioError((fault,))
    wanted = [name for name in (minimise, maximise) if name]
    for scenario in scenarios if wanted else ():
        objectives(
            [name for name in (minimise,) if name], [name for name in (maximise,) if name], scenario
        )
    return Objective(wanted[0], bool(maximise)) if wanted else None
