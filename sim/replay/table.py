"""A table of recorded outcomes: what every model made of every task, as dense arrays."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sim.units import Int64Array

Floats = npt.NDArray[np.float64]
AMOUNTS = ("cost_usd", "input_tokens", "output_tokens", "latency_s")


def mean(values: Floats) -> float:
    """The mean, its sum rounded once, so that it does not depend on the order of the values."""
    return math.fsum(values) / len(values)


@dataclass(frozen=True)
class Table:
    """Recorded outcomes; tasks and models in the order of their names, whatever the file's order.

    Args:
        name: the file's.
        tasks, models, domains: names; one domain, the empty name, where the file has none.
        domain: (tasks,) position of each task's domain.
        success: (tasks, models) in [0, 1].
        cost_usd, input_tokens, output_tokens, latency_s: (tasks, models), None where not recorded.
    """

    name: str
    tasks: tuple[str, ...]
    models: tuple[str, ...]
    domains: tuple[str, ...]
    domain: Int64Array
    success: Floats
    cost_usd: Floats | None = None
    input_tokens: Floats | None = None
    output_tokens: Floats | None = None
    latency_s: Floats | None = None

    @property
    def known(self) -> tuple[str, ...]:
        """The optional columns that were recorded."""
        found = tuple(name for name in AMOUNTS if getattr(self, name) is not None)
        return (*found, "domain") if self.domains != ("",) else found

    @cached_property
    def prompts(self) -> Int64Array:
        """The size of each task's prompt in tokens: the median over the models' own counts."""
        if self.input_tokens is None:
            return np.zeros(len(self.tasks), np.int64)
        return np.rint(np.median(self.input_tokens, axis=1)).astype(np.int64)

    @cached_property
    def pair(self) -> tuple[int, int]:
        """The weak and the strong model: least and most mean success; of equals, the dearer."""
        means = [mean(column) for column in self.success.T]
        costs = means if self.cost_usd is None else [mean(column) for column in self.cost_usd.T]
        order = sorted(range(len(self.models)), key=lambda m: (means[m], costs[m], m))
        return order[0], order[-1]

    def take(self, rows: Int64Array) -> "Table":
        """The table of some of the tasks."""
        arrays = {
            name: None if (values := getattr(self, name)) is None else values[rows]
            for name in AMOUNTS
        }
        tasks = tuple(self.tasks[row] for row in rows.tolist())
        return Table(self.name, tasks, self.models, self.domains, self.domain[rows],
                     self.success[rows], **arrays)  # fmt: skip


def joined(tables: Sequence[Table]) -> Table:
    """Tables of the same models and columns as one; tasks are numbered anew, domains matched."""
    first = tables[0]
    domains = sorted({name for each in tables for name in each.domains})
    place = {name: at for at, name in enumerate(domains)}
    arrays = {
        name: None if getattr(first, name) is None
        else np.concatenate([getattr(each, name) for each in tables])
        for name in AMOUNTS
    }  # fmt: skip
    tasks = sum(len(each.tasks) for each in tables)
    return Table(
        first.name, tuple(f"{number:0{len(str(tasks))}}" for number in range(tasks)), first.models,
        tuple(domains),
        np.concatenate([np.array([place[n] for n in t.domains])[t.domain] for t in tables]),
        np.concatenate([each.success for each in tables]), **arrays,
    )  # fmt: skip
