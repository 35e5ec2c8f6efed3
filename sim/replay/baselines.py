"""What every router is held against: each model alone, a coin, and the oracle."""

import numpy as np

from sim.replay.play import Played
from sim.replay.table import Floats, Table
from sim.units import Int64Array


def single(table: Table, model: int) -> Played:
    """One model for every task."""
    return _fixed(table, np.full(len(table.tasks), model))


def oracle(table: Table) -> Played:
    """The cheapest model that is right, else the cheapest; of scores, the cheapest of the best.

    It knows the outcome. With two models it ranks tasks by what the strong one truly adds.
    """
    best = table.success >= table.success.max(axis=1, keepdims=True)
    price = np.zeros_like(table.success) if table.cost_usd is None else table.cost_usd
    need = None
    if len(table.models) == 2:
        weak, strong = table.pair
        gain = table.success[:, strong] - table.success[:, weak]
        need = np.rint(gain * 1e6).astype(np.int64)
    return _fixed(table, np.where(best, price, np.inf).argmin(axis=1), need)


def coin(table: Table) -> Played:
    """Any model with equal chance: the expectation, not a draw."""
    calls = np.full(table.success.shape, 1 / len(table.models))
    return Played(_mean(table.success), _mean_of(table.cost_usd),
                  _mean_of(table.latency_s), calls, exact=True)  # fmt: skip


def _fixed(table: Table, chosen: Int64Array, need: Int64Array | None = None) -> Played:
    rows = np.arange(len(table.tasks))
    calls = np.zeros_like(table.success)
    calls[rows, chosen] = 1

    def taken(values: Floats | None) -> Floats | None:
        return None if values is None else values[rows, chosen]

    return Played(
        table.success[rows, chosen], taken(table.cost_usd), taken(table.latency_s), calls, need,
        exact=True,
    )  # fmt: skip


def _mean(values: Floats) -> Floats:
    mean: Floats = values.mean(axis=1)
    return mean


def _mean_of(values: Floats | None) -> Floats | None:
    return None if values is None else _mean(values)
