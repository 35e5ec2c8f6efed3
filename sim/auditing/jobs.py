"""Between the record of on-chain jobs and the chain: which were paid, and what agents owe for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.chain.acts import Job
from sim.chain.beside import Withdrawn
from sim.facts import JobState
from sim.ledger import FIRST_AGENT, TREASURY
from sim.record import Jobs
from sim.record.archive import Saved
from sim.record.asides import jobs_from_frame
from sim.record.frames import Frames
from sim.record.packed import PackedColumn
from sim.scenario import Scenario
from sim.units import Int64Array
from sim.world import World


@dataclass(frozen=True)
class PaidJobs:
    """Jobs that ended Terminal, in the order of their calls; by swap, which one it was for."""

    jobs: tuple[Job, ...]
    by_swap: Mapping[int, int]


NO_JOBS: Final = PaidJobs((), {})


def _terminal(jobs: Jobs) -> Jobs:
    return jobs.take(np.flatnonzero(jobs.state == JobState.TERMINAL))


def _paid(scenario: Scenario, jobs: Jobs, hashes: Mapping[int, bytes]) -> PaidJobs:
    ended = _terminal(jobs)
    columns = (
        ended.call_id, ended.agent, ended.model, ended.intent, ended.volume, ended.gross_micros,
        ended.fee_micros,
    )  # fmt: skip
    found = tuple(
        Job(call, agent, model, scenario.intents[intent], volume, gross, fee, hashes[call])
        for call, agent, model, intent, volume, gross, fee in zip(
            *(column.tolist() for column in columns), strict=True
        )
    )
    by_swap = {swap: at for at, swap in enumerate(ended.swap.tolist()) if swap >= 0}
    return PaidJobs(found, by_swap)


def jobs_of_world(world: World) -> PaidJobs:
    """The jobs of a run that has just ended."""
    book = world.course.jobs if world.course is not None else None
    if book is None:
        return NO_JOBS
    hashes: dict[int, bytes] = {}
    for calls, answers in zip(world.history.calls, world.history.hashes, strict=True):
        call_id = PackedColumn.joined([calls.columns["call_id"]])
        for row in np.flatnonzero(book.among(call_id)).tolist():
            hashes[int(call_id[row])] = answers[row].tobytes()
    return _paid(world.scenario, book.columns(), hashes)


def recorded_jobs(frames: Frames) -> PaidJobs:
    """The jobs of a saved record."""
    mine = frames.calls.join(frames.jobs.select("call_id"), on="call_id", how="semi")
    hashes = dict(mine.select("call_id", "answer_hash").iter_rows())
    return _paid(frames.scenario, jobs_from_frame(frames.jobs), hashes)


def are_on_chain(saved: Saved) -> bool:
    """Whether a run's jobs, if it has any, went to its chain: they do once it is whole."""
    place = saved.manifest.chain
    whole = not saved.frames.interrupted and place is not None and not place.halted
    return whole and len(_terminal(jobs_from_frame(saved.frames.jobs)).call_id) > 0


def leave_out(saved: Saved, balances: Int64Array, models: int) -> None:
    """Takes from balances what jobs have moved at the port, of which the rail's contract is silent.

    What agents paid for them they took out of their accounts, where it counts as theirs still.

    Args:
        balances: by account number, changed. models: the number of the first model's account.
    """
    jobs = _terminal(jobs_from_frame(saved.frames.jobs))
    np.subtract.at(balances, models + jobs.model, jobs.gross_micros - jobs.fee_micros)
    balances[TREASURY] -= jobs.fee_micros.sum()
    np.add.at(balances, FIRST_AGENT + jobs.agent, jobs.gross_micros)


def with_payments(withdrawn: Withdrawn | None, saved: Saved) -> Withdrawn | None:
    """Withdrawals, and after them those by which agents pay for their jobs: all ask, then have."""
    if not are_on_chain(saved):
        return withdrawn
    jobs = _terminal(jobs_from_frame(saved.frames.jobs))
    agents, place = np.unique(jobs.agent, return_inverse=True)
    micros = np.zeros(len(agents), np.int64)
    np.add.at(micros, place, jobs.gross_micros)
    asked = Withdrawn(np.tile(agents, 2), np.repeat(np.arange(2), len(agents)), np.tile(micros, 2))
    if withdrawn is None:
        return asked
    return Withdrawn(
        np.concatenate([withdrawn.agent, asked.agent]),
        np.concatenate([withdrawn.executed, asked.executed]),
        np.concatenate([withdrawn.micros, asked.micros]),
    )
