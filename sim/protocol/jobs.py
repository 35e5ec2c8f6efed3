"""On-chain jobs: funded when their call is made, ended when its verdict is in, paid in MACHINA."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from sim.clock import Clock
from sim.facts import JobState
from sim.models import Call, JobPool
from sim.protocol.purchasing import Purchasing
from sim.record import Jobs
from sim.units import Int64Array

NOTHING: Final = -1


class Job:
    """One job while the run goes on; what is known only later is -1 until then."""

    def __init__(self, call: Call, base_micros: int, tenths: int, volume: int) -> None:
        self.call, self.base_micros, self.tenths, self.volume = call, base_micros, tenths, volume
        self.fee_micros, self.charged = 0, False
        self.state, self.ended_us, self.swap = JobState.FUNDED, NOTHING, NOTHING

    def row(self) -> tuple[int, ...]:
        """The job in the order of the columns of `sim.record.Jobs`."""
        call = self.call
        return (
            call.id, call.task_id, call.agent.index, call.model.index, call.task.intent,
            self.base_micros, self.tenths, self.volume, call.quote_micros, self.fee_micros,
            call.posted_us, self.ended_us, self.state, self.swap,
        )  # fmt: skip


class JobBook:
    """The jobs of one run, as the port would have them.

    A job is funded by the hold of its call. What is charged for an answer goes to the model, less
    the treasury's fee, as any charge does; it is swapped at once when the job ends, which is when
    validators have agreed on a score. Where nothing is charged the agent cancels.

    Args:
        purchasing: where MACHINA is bought; models keep dollars where there is none.
        volume: an intent's answers in the window.

    Attributes:
        open: the jobs that have not ended, by call.
    """

    def __init__(
        self, clock: Clock, pool: JobPool, purchasing: Purchasing | None,
        volume: Callable[[int], int],
    ) -> None:  # fmt: skip
        self.clock, self.pool, self.purchasing, self.volume = clock, pool, purchasing, volume
        self.open: dict[int, Job] = {}
        self._rows: dict[int, tuple[int, ...] | None] = {}
        pool.desk = self

    def opened(self, call: Call) -> None:
        """A call was made that is a job."""
        intent = call.task.intent
        tenths, volume = self.pool.tenths[intent], self.volume(intent)
        self.open[call.id] = Job(call, self.pool.base_micros, tenths, volume)
        self._rows[call.id] = None

    def ended(self, call: Call, charge_micros: int, fee_micros: int) -> None:
        """A call has ended, be it a job or not: without a charge a job is cancelled."""
        job = self.open.get(call.id)
        if job is None:
            return
        job.charged, job.fee_micros = charge_micros > 0, fee_micros
        if not job.charged:
            self._end(job, JobState.CANCELLED)

    def earned(self, call_id: int, model: int, micros: int) -> None:
        """A call is judged: a job ends, and what any other has brought gathers for a purchase."""
        if call_id in self._rows:
            job = self.open.get(call_id)
            if job is not None and job.charged:
                self._pay(job)
        elif self.purchasing is not None:
            self.purchasing.earned(call_id, model, micros)

    def finish(self) -> None:
        """Ends every job that was charged and never judged: no round is to come."""
        for job in [each for each in self.open.values() if each.charged]:
            self._pay(job)

    def among(self, call_id: Int64Array) -> npt.NDArray[np.bool_]:
        """Which of these calls are jobs."""
        return np.array([each in self._rows for each in call_id.tolist()], np.bool_)

    def columns(self) -> Jobs:
        """All jobs, in the order of their calls."""
        return Jobs.from_rows([row or self.open[at].row() for at, row in self._rows.items()])

    def _pay(self, job: Job) -> None:
        """Swaps what is the model's, at whatever price the pool has now; nothing buys nothing."""
        micros = job.call.quote_micros - job.fee_micros
        if self.purchasing is not None and micros:
            job.swap = self.purchasing.swaps
            self.purchasing.buy(job.call.model.index, micros)
        self._end(job, JobState.TERMINAL)

    def _end(self, job: Job, state: JobState) -> None:
        """Writes a job down; of what it was made of, its call above all, nothing is kept."""
        job.state, job.ended_us = state, self.clock.now
        self._rows[job.call.id] = self.open.pop(job.call.id).row()
