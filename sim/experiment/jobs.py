"""A job, one run among many, and the row that it becomes, whether it succeeds or fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter

from sim.chance import key
from sim.experiment.measures import Number, Numbers
from sim.experiment.measuring import measure
from sim.experiment.outcomes import in_words, outcome
from sim.facts import LawError
from sim.scenario import Scenario, from_mapping

Label = str | int | float
LOST = "the process that ran it died (out of memory, or killed)"


def seed_of(seed: int, rep: int) -> int:
    """The seed of a replication: the scenario's own for number 0.

    For the others the first 63 bits of SHA-256 over ``SEED/replication/REP``.
    """
    return seed if rep == 0 else key(f"{seed}/replication/{rep}") >> 1


@dataclass(frozen=True)
class Job:
    """One run: a scenario, some of its numbers changed, under the seed of a replication.

    Args:
        point, rep: which it is; rows are sorted by them.
        labels: what tells the points apart, in the table of results.
        changes: numbers by their path in the scenario.
        warm_up_us: see `sim.experiment.measuring.measure`.
    """

    point: int
    rep: int
    scenario: Scenario
    labels: Mapping[str, Label] = field(default_factory=dict)
    changes: Mapping[str, Number] = field(default_factory=dict)
    warm_up_us: int = 0

    @property
    def place(self) -> tuple[int, int]:
        """Point and replication."""
        return self.point, self.rep

    @property
    def seed(self) -> int:
        """The seed that it runs under."""
        return seed_of(self.scenario.seed, self.rep)

    def resolved(self) -> Scenario:
        """The scenario that runs; raises `ScenarioError` if the changes do not fit together."""
        if self.changes:
            return from_mapping(self.scenario.model_dump(), self.changes, self.seed)
        return self.scenario.model_copy(update={"seed": self.seed})


@dataclass(frozen=True)
class Row:
    """What became of a job: its numbers, or the error that it ended in.

    ``laws_ok`` is None if the run did not come so far; ``wall_s`` alone differs between two runs
    of one job.
    """

    point: int
    rep: int
    seed: int
    labels: Mapping[str, Label]
    numbers: Numbers
    verdict: str | None
    laws_ok: bool | None
    error: str | None
    digest: str | None
    wall_s: float

    @property
    def place(self) -> tuple[int, int]:
        """Point and replication."""
        return self.point, self.rep


def perform(job: Job) -> Row:
    """Runs a job; a run that fails becomes a row with its error, only an interruption is raised."""
    started = perf_counter()
    found = outcome(lambda: measure(job.resolved(), job.warm_up_us))
    wall_s = perf_counter() - started
    if isinstance(found, Exception):
        return failed(job, in_words(found), wall_s, False if isinstance(found, LawError) else None)
    return Row(
        job.point, job.rep, job.seed, job.labels, found.numbers, found.stability.verdict,
        True, None, found.figures.digest, wall_s,
    )  # fmt: skip


def failed(job: Job, error: str, wall_s: float = 0.0, laws_ok: bool | None = None) -> Row:
    """The row of a job that has no numbers."""
    return Row(
        job.point, job.rep, job.seed, job.labels, {}, None, laws_ok, error, None, wall_s
    )  # fmt: skip


def lost(job: Job) -> Row:
    """The row of a job that has killed the process it ran in."""
    return failed(job, LOST)
