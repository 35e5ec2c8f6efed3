"""Playing a router on a table: its picks, fold by fold, and what they brought and cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from sim.facts import Fault, ScenarioError, Task
from sim.replay.table import Floats, Table
from sim.replay.training import Known, Training, UnknownCostError
from sim.units import PPM, Int64Array

RIGHT = 0.5


class Player(Protocol):
    """Whatever picks: a router of `sim.routers`, or one of replay's own."""

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: Known) -> int:
        """The model that gets the task."""
        ...


class Student(Player, Protocol):
    """A router with a memory, while it has it."""

    def observe(self, task: Task, model: int, score_ppm: int) -> None:
        """Takes a verdict on a model's answer to a task."""
        ...


@runtime_checkable
class Learning(Protocol):
    """A router that learns: it is trained on the other folds, every model's answer to each task."""

    def fresh(self) -> Student:
        """The router without any memory."""
        ...


@runtime_checkable
class Ranking(Protocol):
    """A router that ranks tasks by how much they need the stronger of two models.

    It would pick the strong one from some need on; replay then looks at every such threshold.
    """

    def need(self, task: Task, models: Sequence[int], pool: Known) -> int:
        """The more, the sooner the task goes to the strong model."""
        ...


@dataclass(frozen=True)
class Played:
    """What a router made of a table, per task.

    Args:
        success: of the last call. cost_usd, latency_s: sums over its calls.
        calls: (tasks, models) how often each model was called.
        need: of a router that ranks tasks.
        exact: nothing in it was learnt or drawn.
    """

    success: Floats
    cost_usd: Floats | None
    latency_s: Floats | None
    calls: Floats
    need: Int64Array | None = None
    exact: bool = False


@dataclass(frozen=True)
class Terms:
    """How tasks are played: the worth of a right answer, and calls after a wrong one."""

    value_micros: int
    retries: int


def play(name: str, router: Player, training: Training, terms: Terms) -> Played:
    """Lets a router pick for every task.

    An answer is right from a score of 0.5 on; one that is wrong is tried again, up to ``retries``
    times, every call paid. The recorded outcome stands for every call of a model on a task.

    Raises:
        ScenarioError: the table lacks what the router asks for, or its pick is no model.
    """
    table, lengths = training.table, training.lengths()
    sums = _Sums(table)
    ranks = isinstance(router, Ranking) and len(table.models) == 2
    need = np.zeros(len(table.tasks), np.int64) if ranks else None
    everyone = range(len(table.models))
    try:
        for fold, pool in enumerate(training.pools()):
            rows = training.rows(fold)
            player = _trained(router, training, fold, lengths[fold], terms)
            for attempt in range(terms.retries + 1):
                tasks = training.tasks(rows, lengths[fold], terms.value_micros)
                picks = [player.pick(task, attempt, everyone, pool) for task in tasks]
                rows = sums.add(name, rows, picks)
            if need is not None:
                need[training.rows(fold)] = _needs(router, training, fold, lengths[fold], pool)
    except UnknownCostError:
        found = "a table without cost_usd"
        allowed = "a table with it: this router weighs costs"
        raise ScenarioError((Fault(f"--router {name}", found, allowed),)) from None
    return Played(sums.success, sums.cost_usd, sums.latency_s, sums.calls, need)


class _Sums:
    def __init__(self, table: Table) -> None:
        self.table = table
        tasks = len(table.tasks)
        self.success, self.calls = np.zeros(tasks), np.zeros((tasks, len(table.models)))
        self.cost_usd = None if table.cost_usd is None else np.zeros(tasks)
        self.latency_s = None if table.latency_s is None else np.zeros(tasks)

    def add(self, name: str, rows: Int64Array, picks: Sequence[int]) -> Int64Array:
        """Takes a call for each row; returns the rows whose answer was wrong."""
        models = len(self.table.models)
        wrong = [pick for pick in picks if type(pick) is not int or not 0 <= pick < models]
        if wrong:
            found = f"{len(wrong)} picks such as {wrong[0]!r:.40}"
            allowed = f"a position from 0 to {models - 1}"
            raise ScenarioError((Fault(f"--router {name}", found, allowed),))
        chosen = np.array(picks, np.int64)
        self.success[rows] = self.table.success[rows, chosen]
        self.calls[rows, chosen] += 1
        for total, values in ((self.cost_usd, self.table.cost_usd),
                              (self.latency_s, self.table.latency_s)):  # fmt: skip
            if total is not None and values is not None:
                total[rows] += values[rows, chosen]
        return rows[self.success[rows] < RIGHT]


def _needs(router: Player, training: Training, fold: int, length: Floats, pool: Known) -> list[int]:
    assert isinstance(router, Ranking)
    everyone = range(len(training.table.models))
    tasks = training.tasks(training.rows(fold), length, 0)
    return [router.need(task, everyone, pool) for task in tasks]


def _trained(router: Player, training: Training, fold: int, length: Floats, terms: Terms) -> Player:
    """The router itself, or a fresh one that has seen the other folds' outcomes."""
    if not isinstance(router, Learning):
        return router
    student = router.fresh()
    rows = np.flatnonzero(training.fold != fold)
    scores = np.rint(training.table.success[rows] * PPM).astype(np.int64).tolist()
    tasks = training.tasks(rows, length, terms.value_micros)
    for task, verdicts in zip(tasks, scores, strict=True):
        for model, score_ppm in enumerate(verdicts):
            student.observe(task, model, score_ppm)
    return student
