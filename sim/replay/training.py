"""What a router may know when it meets a task: means over tasks of the other folds, never its own.

Tasks are dealt into folds at random, by seed, domain after domain. For the tasks of one fold, a
score is the mean success of a model on the other folds' tasks of the same domain, an expected cost
the mean of what it cost there; a domain that the other folds do not have takes the mean over all.
"""

from collections.abc import Iterator
from functools import cached_property
from itertools import repeat, starmap

import numpy as np

from sim.chance import stream
from sim.facts import Fault, ScenarioError, Task
from sim.replay.known import UNKNOWN, Facts, View
from sim.replay.table import Floats, Table
from sim.routers import Lesson
from sim.units import MICROS_PER_USD, PPM, US_PER_S, Int64Array

LIMIT_MICROS = 10**13
WEEK_US = 604_800 * US_PER_S


class Training:
    """A table dealt into folds, and for each fold the means over the others."""

    def __init__(self, table: Table, seed: int, folds: int) -> None:
        if folds < 2:
            raise ScenarioError((Fault("--folds", str(folds), "2 or more"),))
        self.table, self.seed, self.facts = table, seed, Facts(table)
        tasks = len(table.tasks)
        order = stream(seed, "replay", "folds").permutation(tasks)
        order = order[np.argsort(table.domain[order], kind="stable")]
        self.folds = max(2, min(folds, tasks))
        self.fold = np.empty(tasks, np.int64)
        self.fold[order] = np.arange(tasks) % self.folds
        draws = stream(seed, "replay", "luck").integers(0, 2**64, size=tasks, dtype=np.uint64)
        self._draws: list[int] = draws.tolist()
        self._cell = self.fold * len(table.domains) + table.domain
        self._counts = self._sums(np.ones((tasks, 1)))

    def _sums(self, values: Floats) -> Floats:
        """Sums over the tasks of each fold and domain: (folds, domains, columns)."""
        size = self.folds * len(self.table.domains)
        sums = [np.bincount(self._cell, column, minlength=size) for column in values.T]
        stacked = np.stack(sums, axis=1).astype(np.float64)
        return stacked.reshape(self.folds, len(self.table.domains), -1)

    def means(self, values: Floats, unknown: float) -> Floats:
        """Means over the tasks of the other folds: (folds, domains, columns of ``values``)."""
        sums, counts = self._sums(values), self._counts
        others, number = sums.sum(axis=0) - sums, counts.sum(axis=0) - counts
        every, total = others.sum(axis=1, keepdims=True), number.sum(axis=1, keepdims=True)
        overall = np.where(total > 0, every / np.maximum(total, 1), unknown)
        found: Floats = np.where(number > 0, others / np.maximum(number, 1), overall)
        return found

    @cached_property
    def views(self) -> list[View]:
        """What is known of the models while a fold's tasks are routed, fold by fold."""
        table, counts = self.table, self._counts
        success = self._sums(table.success)
        scores = self.means(table.success, UNKNOWN)
        costs = None if table.cost_usd is None else self.means(table.cost_usd, 0.0)
        times = None if table.latency_s is None else self.means(table.latency_s, 0.0)
        won, tried = success.sum(axis=0) - success, counts.sum(axis=0) - counts
        each = np.ones(len(table.models))
        return [
            View(
                _ints(scores[fold] * PPM),
                None if costs is None else _ints(costs[fold] * (MICROS_PER_USD * PPM)),
                None if times is None else _ints(times[fold] * US_PER_S),
                _ints(tried[fold] * each), _ints(won[fold] * PPM), self._others(fold).pair,
            )
            for fold in range(self.folds)
        ]  # fmt: skip

    def _others(self, fold: int) -> Table:
        rows = np.flatnonzero(self.fold != fold)
        return self.table.take(rows) if len(rows) else self.table

    def rows(self, fold: int) -> Int64Array:
        """The positions of a fold's tasks."""
        return np.flatnonzero(self.fold == fold)

    def shuffled(self) -> Int64Array:
        """All positions in an order of the seed's: in which tasks come to who learns online."""
        return stream(self.seed, "replay", "order").permutation(len(self.table.tasks))

    @cached_property
    def lengths(self) -> Floats:
        """Expected output tokens per fold and domain, the mean over models too; 0 if unknown."""
        tokens = self.table.output_tokens
        if tokens is None:
            return np.zeros((self.folds, len(self.table.domains)))
        return self.means(tokens.mean(axis=1, keepdims=True), 0.0)[:, :, 0]

    @cached_property
    def difficulty(self) -> Int64Array:
        """In millionths: the standard normal score of a task's rank by what models fail on it.

        As hard as a task turned out to be; ties in an order of the seed's. Only routers that guess
        difficulty with an error look at it.
        """
        from scipy.special import ndtri

        tasks = len(self.table.tasks)
        shuffled = self.shuffled()
        ease = self.table.success.mean(axis=1)[shuffled]
        places = np.empty(tasks)
        places[shuffled[np.argsort(-ease, kind="stable")]] = (np.arange(tasks) + 0.5) / tasks
        return np.rint(ndtri(places) * PPM).astype(np.int64)

    @cached_property
    def _rows(self) -> dict[int, int]:
        return {draw: row for row, draw in enumerate(self._draws)}

    def row_of(self, task: Task) -> int:
        """The position of a task that was made here."""
        return self._rows[task.draw]

    def lessons(self, fold: int, domain: int) -> list[Lesson]:
        """Every model's outcome on the other folds' tasks of a domain, in the table's order."""
        rows = np.flatnonzero((self.fold != fold) & (self.table.domain == domain))
        scores = np.rint(self.table.success[rows] * PPM).astype(np.int64).tolist()
        return [
            Lesson(task, model, score_ppm)
            for task, verdicts in zip(self.tasks(rows, 0, fold), scores, strict=True)
            for model, score_ppm in enumerate(verdicts)
        ]

    def tasks(self, rows: Int64Array, value_micros: int, seen: int | None = None) -> Iterator[Task]:
        """The tasks of these rows as an agent would post them.

        Their expected length is what the folds other than ``seen`` tell, their own if left out.
        """
        domain, fold = self.table.domain[rows], self.fold[rows] if seen is None else seen
        columns = (
            repeat(0), repeat(WEEK_US), domain.tolist(), self.table.prompts[rows].tolist(),
            np.rint(self.lengths[fold, domain]).astype(np.int64).tolist(),
            self.difficulty[rows].tolist(), map(self._draws.__getitem__, rows.tolist()), repeat(0),
            repeat(0), repeat(value_micros), repeat(LIMIT_MICROS),
        )  # fmt: skip
        return starmap(Task, zip(*columns, strict=False))


def _ints(values: Floats) -> list[list[int]]:
    return [[int(value) for value in row] for row in np.rint(values).tolist()]
