"""What a rail is given to price and to weigh: how full a batch is, and all calls that are paid."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.units import Int64Array


class Load(NamedTuple):
    """A batch by what its gas depends on: calls, and how many distinct others they name.

    ``payments`` counts the calls that are charged more than nothing, ``pairs`` the distinct pairs
    of agent and model among them.
    """

    calls: int
    agents: int
    models: int
    payments: int
    pairs: int


def loads_of(
    batch: Int64Array, agent: Int64Array, model: Int64Array, charge_micros: Int64Array
) -> list[Load]:
    """The load of each batch, from its calls' columns; ``batch`` counts from 0 without gaps."""
    batches, paid = int(batch.max(initial=-1)) + 1, charge_micros > 0
    pair = agent * (int(model.max(initial=0)) + 1) + model
    counts = (
        np.bincount(batch, minlength=batches),
        _distinct(agent, batch, batches),
        _distinct(model, batch, batches),
        np.bincount(batch[paid], minlength=batches),
        _distinct(pair[paid], batch[paid], batches),
    )
    return list(map(Load, *(count.tolist() for count in counts)))


def _distinct(of: Int64Array, batch: Int64Array, batches: int) -> npt.NDArray[np.intp]:
    """How many different values each batch has."""
    width = int(of.max(initial=0)) + 1
    return np.bincount(np.unique(batch * width + of) // width, minlength=batches)


@dataclass(frozen=True, slots=True)
class Paid:
    """Every call that a rail settles, as columns in settlement order, and each agent's budget.

    ``batch`` is the number of the batch it is settled in, which closes at ``closed_us``.
    """

    agent: Int64Array
    model: Int64Array
    quote_micros: Int64Array
    charge_micros: Int64Array
    posted_us: Int64Array
    closed_us: Int64Array
    batch: Int64Array
    budget_micros: Int64Array


def peak(start_us: Int64Array, stop_us: Int64Array, micros: Int64Array) -> int:
    """The largest sum at any instant of amounts that each lie from a start until before a stop."""
    time = np.concatenate([stop_us, start_us])
    change = np.concatenate([-micros, micros])
    running = np.cumsum(change[np.argsort(time, kind="stable")])
    return max(0, int(running.max(initial=0)))
