"""What a rail is given to price and to weigh: how full a batch is, and all calls that are paid."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

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


def load_of(agent: Int64Array, model: Int64Array, charge_micros: Int64Array) -> Load:
    """The load of a batch, from its calls' columns."""
    paid = charge_micros > 0
    pairs = agent[paid] * (int(model.max(initial=0)) + 1) + model[paid]
    return Load(
        calls=len(agent),
        agents=len(np.unique(agent)),
        models=len(np.unique(model)),
        payments=int(paid.sum()),
        pairs=len(np.unique(pairs)),
    )


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
