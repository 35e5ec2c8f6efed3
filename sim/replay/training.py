"""What a router may know when it meets a task: means over tasks of the other folds, never its own.

Tasks are dealt into folds at random, by seed, domain after domain. For the tasks of one fold, a
score is the mean success of a model on the other folds' tasks of the same domain, an expected cost
the mean of what it cost there; a domain that the other folds do not have takes the mean over all.
"""

from collections.abc import Iterator, Sequence
from itertools import repeat, starmap

import numpy as np

from sim.chance import stream
from sim.facts import Fault, ScenarioError, Task
from sim.replay.table import Floats, Table
from sim.units import MICROS_PER_USD, PPM, US_PER_S, Int64Array

UNKNOWN = 0.5
LIMIT_MICROS = 10**13
WEEK_US = 604_800 * US_PER_S


class UnknownCostError(Exception):
    """A router asked for costs that the table does not have."""


class Known:
    """The pool as a router sees it (`sim.routers.Pool`) while the tasks of one fold are routed.

    ``weak`` and ``strong`` are the models of least and most mean success over the other folds.
    """

    def __init__(self, scores: Floats, costs_usd: Floats | None, pair: tuple[int, int]) -> None:
        self.scores: list[list[int]] = np.rint(scores * PPM).astype(np.int64).tolist()
        self.newcomers: dict[int, frozenset[int]] = {}
        self.weak, self.strong = pair
        self._costs: list[list[int]] | None = None
        if costs_usd is not None:
            fine = np.rint(costs_usd * (MICROS_PER_USD * PPM))
            self._costs = [[int(cost) for cost in row] for row in fine.tolist()]

    def expected_costs(self, task: Task, models: Sequence[int]) -> list[int]:
        """Mean cost per model in the task's domain, in millionths of a micro-USDC."""
        if self._costs is None:
            raise UnknownCostError
        return list(map(self._costs[task.intent].__getitem__, models))


class Training:
    """A table dealt into folds, and for each fold the means over the others."""

    def __init__(self, table: Table, seed: int, folds: int) -> None:
        if folds < 2:
            raise ScenarioError((Fault("--folds", str(folds), "2 or more"),))
        self.table = table
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

    def pools(self) -> list[Known]:
        """One pool per fold."""
        table = self.table
        scores = self.means(table.success, UNKNOWN)
        costs = None if table.cost_usd is None else self.means(table.cost_usd, 0.0)
        pairs = [self._others(fold).pair for fold in range(self.folds)]
        return [
            Known(scores[fold], None if costs is None else costs[fold], pairs[fold])
            for fold in range(self.folds)
        ]

    def _others(self, fold: int) -> Table:
        rows = np.flatnonzero(self.fold != fold)
        return self.table.take(rows) if len(rows) else self.table

    def rows(self, fold: int) -> Int64Array:
        """The positions of a fold's tasks."""
        return np.flatnonzero(self.fold == fold)

    def lengths(self) -> Floats:
        """Expected output tokens per fold and domain, the mean over models too; 0 if unknown."""
        tokens = self.table.output_tokens
        if tokens is None:
            return np.zeros((self.folds, len(self.table.domains)))
        return self.means(tokens.mean(axis=1, keepdims=True), 0.0)[:, :, 0]

    def tasks(self, rows: Int64Array, length: Floats, value_micros: int) -> Iterator[Task]:
        """The tasks of these rows as an agent would post them; ``length`` is by domain."""
        domain = self.table.domain[rows]
        columns = (
            repeat(0), repeat(WEEK_US), domain.tolist(), self.table.prompts[rows].tolist(),
            np.rint(length[domain]).astype(np.int64).tolist(), repeat(0),
            map(self._draws.__getitem__, rows.tolist()), repeat(0), repeat(0),
            repeat(value_micros), repeat(LIMIT_MICROS),
        )  # fmt: skip
        return starmap(Task, zip(*columns, strict=False))
