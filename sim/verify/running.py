"""Running a suite: every replication of every case on all cores, and the verdicts upon them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import process_time

from sim.chance import key
from sim.experiment.jobs import LOST
from sim.experiment.outcomes import in_words, outcome
from sim.experiment.workers import Workers
from sim.verify.case import Found
from sim.verify.suite import Asked
from sim.verify.verdict import Verdict, judge

FEWEST_REPS = 20


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
    told: Callable[[int, int, int, str], None] = lambda *_: None,
) -> list[Judged]:
    """Runs a suite; the verdicts in the order of its cases.

    Args:
        told: how many replications are done, how many of these could not end, how many there are,
            and of which case the last one was.
    """
    jobs = [
        Job(number, rep, asked, seed_of(seed, asked, rep))
        for number, asked in enumerate(suite)
        for rep in range(asked.case.replications(reps))
    ]
    ended: dict[tuple[int, int], Ended] = {}
    failed = 0
    for job, end in workers.each(perform, jobs, lost):
        ended[job.number, job.rep] = end
        failed += end.found is None
        told(len(ended), failed, len(jobs), job.asked.case.title)
    judged: list[Judged] = []
    for number, asked in enumerate(suite):
        mine = [ended[number, rep] for rep in range(asked.case.replications(reps))]
        cpu_s = sum(end.cpu_s for end in mine)
        judged += (Judged(asked, verdict, cpu_s) for verdict in _verdicts(asked, mine))
    return judged


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
