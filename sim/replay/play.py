"""Playing a router on a table: its picks, fold by fold, and what they brought and cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from sim.facts import Fault, ScenarioError, Task
from sim.replay.known import RIGHT, Known, NotRecordedError
from sim.replay.table import Floats, Table
from sim.replay.training import Training
from sim.routers import judge_of
from sim.units import PPM, Int64Array

ONLINE = ("bandit",)
"""Kinds that learn from what they picked themselves, as the tasks come."""


class Player(Protocol):
    """Whatever picks: a router of `sim.routers`, or one of replay's own."""

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: Known) -> int:
        """The model that gets the task."""
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

    An answer is right from a score of 0.5 on; one that is wrong, or that the router's own judge
    does not accept, is tried again, up to ``retries`` times, every call paid. The recorded outcome
    stands for every call of a model on a task. Who learns online meets the tasks in an order of the
    seed's; all others know the other folds.

    Raises:
        ScenarioError: the table lacks what the router asks for, or its pick is no model.
    """
    sums = _Sums(training.table, name)
    try:
        if getattr(router, "kind", "") in ONLINE:
            _play_online(router, training, terms, sums)
        else:
            _play_folds(router, training, terms, sums)
        need = _needs(router, training)
    except NotRecordedError as error:
        raise ScenarioError((Fault(f"--router {name}", error.found, error.allowed),)) from None
    return Played(sums.success, sums.cost_usd, sums.latency_s, sums.calls, need)


def _play_folds(router: Player, training: Training, terms: Terms, sums: "_Sums") -> None:
    everyone, judge = range(len(training.table.models)), judge_of(router)
    for fold in range(training.folds):
        pool, rows = Known(training, online=False).at(fold), training.rows(fold)
        for attempt in range(terms.retries + 1):
            tasks = training.tasks(rows, terms.value_micros)
            sums.add(rows, [router.pick(task, attempt, everyone, pool) for task in tasks])
            if attempt == terms.retries:
                break
            accepted = sums.success[rows] >= RIGHT
            if judge is not None:
                scores = np.rint(sums.success[rows] * PPM).astype(np.int64).tolist()
                tasks = training.tasks(rows, terms.value_micros)
                accepted = np.array([
                    judge.accepts(task, attempt, score_ppm)
                    for task, score_ppm in zip(tasks, scores, strict=True)
                ], bool)  # fmt: skip
            rows = rows[~accepted]


def _play_online(router: Player, training: Training, terms: Terms, sums: "_Sums") -> None:
    everyone, pool = range(len(training.table.models)), Known(training, online=True)
    order = training.shuffled()
    folds = training.fold[order].tolist()
    tasks = training.tasks(order, terms.value_micros)
    for row, fold, task in zip(order[:, None], folds, tasks, strict=True):
        pool.at(fold)
        for attempt in range(terms.retries + 1):
            pick = router.pick(task, attempt, everyone, pool)
            sums.add(row, [pick])
            pool.learn(task, pick, round(sums.success[row[0]] * PPM))
            if sums.success[row[0]] >= RIGHT:
                break


def _needs(router: Player, training: Training) -> Int64Array | None:
    """How much each task needs the strong model, of a router that ranks tasks for two."""
    everyone = range(len(training.table.models))
    if not isinstance(router, Ranking) or len(everyone) != 2:
        return None
    need = np.zeros(len(training.table.tasks), np.int64)
    for fold in range(training.folds):
        pool, rows = Known(training, online=False).at(fold), training.rows(fold)
        need[rows] = [router.need(task, everyone, pool) for task in training.tasks(rows, 0)]
    return need


class _Sums:
    """What has been paid and won so far, per task."""

    def __init__(self, table: Table, name: str) -> None:
        self.table, self.name = table, name
        tasks = len(table.tasks)
        self.success, self.calls = np.zeros(tasks), np.zeros((tasks, len(table.models)))
        self.cost_usd = None if table.cost_usd is None else np.zeros(tasks)
        self.latency_s = None if table.latency_s is None else np.zeros(tasks)

    def add(self, rows: Int64Array, picks: Sequence[int]) -> None:
        """Takes a call for each row."""
        models = len(self.table.models)
        wrong = [pick for pick in picks if type(pick) is not int or not 0 <= pick < models]
        if wrong:
            found = f"{len(wrong)} picks such as {wrong[0]!r:.40}"
            allowed = f"a position from 0 to {models - 1}"
            raise ScenarioError((Fault(f"--router {self.name}", found, allowed),))
        chosen = np.array(picks, np.int64)
        self.success[rows] = self.table.success[rows, chosen]
        self.calls[rows, chosen] += 1
        for total, values in ((self.cost_usd, self.table.cost_usd),
                              (self.latency_s, self.table.latency_s)):  # fmt: skip
            if total is not None and values is not None:
                total[rows] += values[rows, chosen]
