"""Running a suite: every replication of every case on all cores, and the verdicts upon them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import process_time
from typing import TypeAlias

from sim.chance import key
from sim.experiment.jobs import LOST
from sim.experiment.outcomes import in_words, outcome
from sim.experiment.workers import Workers
from sim.verify.case import Found
from sim.verify.suite import Asked
from sim.verify.verdict import Verdict, enough_near, judge

FEWEST_REPS = 20
AGAIN = 3
"""Times as many fresh replications of a case that is far off."""
Told: TypeAlias = Callable[[int, int, int, str], None]


@dataclass(frozen=True)
class Job:
    """One replication of one case of a suite."""

    number: int
    rep: int
    asked: Asked
    seed: int


@dataclass(frozen=True)
class Ended:
    """What a job found, or the error it ended in, and what it cost."""

    found: Found | None
    error: str = ""
    cpu_s: float = 0.0


@dataclass(frozen=True)
class Judged:
    """A line of the table, the case behind it, and the processor time that its case took."""

    asked: Asked
    verdict: Verdict
    cpu_s: float


def seed_of(seed: int, asked: Asked, rep: int) -> int:
    """The seed of a replication: 63 bits of SHA-256 over the suite's seed, the case, the number."""
    return key(f"{seed}/verify/{asked.case.title}/{rep}") >> 1


def perform(job: Job) -> Ended:
    """Runs a job; whatever it dies of is a finding."""
    started = process_time()
    found = outcome(lambda: job.asked.case.observe(job.seed))
    cpu_s = process_time() - started
    if isinstance(found, Exception):
        return Ended(None, in_words(found), cpu_s)
    return Ended(found, "", cpu_s)


def lost(job: Job) -> Ended:
    """The end of a job that has killed the process it ran in."""
    del job
    return Ended(None, LOST)


def run(
    suite: Sequence[Asked],
    workers: Workers,
    reps: int = FEWEST_REPS,
    seed: int = 1,
    told: Told = lambda *_: None,
) -> list[Judged]:
    """Runs a suite; the verdicts in the order of its cases.

    Of some 120 intervals over 20 replications one is off by more than 4 standard errors in every
    tenth run of the whole suite, by chance: Student's t has long tails. And of a few lines one that
    is off is over a tenth of them. Such cases have three times as many fresh replications, and what
    these say counts: chance has gone by then, an error has not.

    Args:
        told: how many replications are done, how many of these could not end, how many there are,
            and of which case the last one was.
    """
    asking = _Asking(workers, seed, told)
    found = asking.ask(suite, 0, reps)
    found |= asking.ask(_doubtful(found), reps, (1 + AGAIN) * reps)
    return [
        Judged(asked, verdict, asking.cpu_s[asked])
        for asked in suite
        for verdict in _verdicts(asked, found[asked])
    ]


class _Asking:
    """Replications of cases, counted as they end."""

    def __init__(self, workers: Workers, seed: int, told: Told) -> None:
        self.workers, self.seed, self.told = workers, seed, told
        self.done = self.failed = self.all = 0
        self.cpu_s: defaultdict[Asked, float] = defaultdict(float)

    def ask(self, cases: Sequence[Asked], done: int, reps: int) -> dict[Asked, list[Ended]]:
        """The replications of each case up to so many, but for those that are done, in order."""
        jobs = [
            Job(number, rep, asked, seed_of(self.seed, asked, rep))
            for number, asked in enumerate(cases)
            for rep in range(asked.case.replications(done), asked.case.replications(reps))
        ]
        self.all += len(jobs)
        ended: dict[tuple[int, int], Ended] = {}
        for job, end in self.workers.each(perform, jobs, lost):
            ended[job.number, job.rep] = end
            self.done += 1
            self.failed += end.found is None
            self.cpu_s[job.asked] += end.cpu_s
            self.told(self.done, self.failed, self.all, job.asked.case.title)
        found: dict[Asked, list[Ended]] = {asked: [] for asked in cases}
        for job in jobs:
            found[job.asked].append(ended[job.number, job.rep])
        return found


def _doubtful(found: Mapping[Asked, Sequence[Ended]]) -> list[Asked]:
    """Cases that are far off, and those that are off where too few are near, maybe by chance."""
    verdicts = {asked: _verdicts(asked, ended) for asked, ended in found.items()}
    few = not enough_near([verdict for mine in verdicts.values() for verdict in mine])
    return [
        asked
        for asked, mine in verdicts.items()
        if asked.case.repeats is None
        and any(verdict.far or (few and verdict.word == "off") for verdict in mine)
    ]


def _verdicts(asked: Asked, ended: Sequence[Ended]) -> list[Verdict]:
    title = asked.case.title
    error = next((end.error for end in ended if end.error), "")
    found = [end.found for end in ended if end.found is not None]
    if error or len(found) < len(ended):
        return [Verdict(title, known, None, "fails", error) for known in asked.case.known()]
    controls = [each.controls for each in found]
    return [
        judge(title, known, [each.values[place] for each in found], controls)
        for place, known in enumerate(asked.case.known())
    ]
