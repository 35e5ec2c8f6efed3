"""A session: runs the jobs of an experiment that have not been run, and keeps their rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sim.experiment.cluster import Cluster
from sim.experiment.jobs import Job, Row, lost, perform
from sim.experiment.store import Experiment, Store
from sim.experiment.workers import Workers, local


class Progress(Protocol):
    """Told how far an experiment is."""

    def update(self, done: int, failed: int, asked: int, note: str) -> None:
        """``done`` of the ``asked`` runs have a row, ``failed`` of them an error.

        More may be asked for later; ``note`` says in a few words what is being run.
        """


class Silent:
    """Tells nobody."""

    def update(self, done: int, failed: int, asked: int, note: str) -> None:
        """Does nothing."""


@dataclass
class Session:
    """Where jobs run, where their rows are kept, and who is told.

    Rows that the store has already are taken from it: an experiment that was stopped goes on, and
    an extended one runs only what is new.
    """

    store: Store
    workers: Workers
    progress: Progress = field(default_factory=Silent)
    note: str = ""
    asked: set[tuple[int, int]] = field(default_factory=set)
    """The places of all jobs asked for in this session."""
    failed: int = 0

    def rows(self, jobs: Sequence[Job]) -> list[Row]:
        """The row of each job, in their order.

        Raises:
            KeyboardInterrupt: with what was finished in the store. ToolError: a full disk, ...
        """
        kept = self.store.rows
        todo = [job for job in jobs if job.place not in kept]
        self.asked.update(job.place for job in jobs)
        waiting = len(todo)
        self._tell(waiting)
        for _, row in self.workers.each(perform, todo, lost):
            self.store.add(row)
            waiting -= 1
            self.failed += row.error is not None
            self._tell(waiting)
        return [kept[job.place] for job in jobs]

    def asked_rows(self) -> list[Row]:
        """The rows so far of all jobs asked for in this session; a store may hold more."""
        kept = self.store.rows
        return [kept[place] for place in sorted(self.asked) if place in kept]

    def _tell(self, waiting: int) -> None:
        asked = len(self.asked)
        self.progress.update(asked - waiting, self.failed, asked, self.note)


@contextmanager
def opened(
    experiment: Experiment,
    out: Path | None = None,
    workers: int | None = None,
    dask: str | None = None,
    progress: Progress | None = None,
) -> Iterator[Session]:
    """A session for an experiment; its table is published at the end, or when it is stopped.

    Args:
        out: the directory; by default one under ``runs/`` that the question itself names.
        workers: processes on this machine; one per core if None. dask: a scheduler's address,
            which then does the work.

    Raises:
        ScenarioError: the directory is another experiment's. ToolError: no scheduler there, ...
    """
    where = out or experiment.default_directory()
    place: Workers = Cluster(dask) if dask else local(workers)
    with place, Store(where, experiment) as store:
        session = Session(store, place, progress or Silent())
        try:
            yield session
        except BaseException:
            store.refresh()
            raise
        finally:
            if store.rows:
                store.publish(session.asked_rows())
