"""Small tables of outcomes for the tests of replay and calibration."""

import numpy as np

from sim.chance import stream
from sim.replay import Replay, Table
from sim.replay.run import Row
from sim.replay.table import Floats


def table(success: list[list[float]], cost: list[list[float]] | None = None) -> Table:
    """A table of tasks by models, with no other column."""
    tasks, models = len(success), len(success[0])
    return Table(
        "t", tuple(f"t{n:04}" for n in range(tasks)), tuple(f"m{n}" for n in range(models)),
        ("",), np.zeros(tasks, np.int64), np.array(success, float),
        None if cost is None else np.array(cost, float),
    )  # fmt: skip


def outcomes(tasks: int, models: int = 3, seed: int = 3) -> Table:
    """Models of rising quality and price, tasks of two domains, prompts longer where it is hard."""
    random = stream(seed, "outcomes")
    difficulty = random.standard_normal(tasks)
    domain = np.arange(tasks) % 2
    ability = np.linspace(-0.5, 1.5, models) + np.outer(domain, np.linspace(0, 1, models))
    right = random.random((tasks, models)) < 1 / (1 + np.exp(-3 * (ability - difficulty[:, None])))
    tokens = np.rint(np.exp(5 + 0.5 * difficulty + 0.3 * random.standard_normal(tasks)))
    cost = np.outer(tokens, 1e-6 * 4.0 ** np.arange(models))
    return Table(
        "made", tuple(f"t{n:05}" for n in range(tasks)), tuple(f"m{n}" for n in range(models)),
        ("art", "law"), domain, right.astype(float), cost,
        np.repeat(tokens[:, None], models, axis=1),
    )  # fmt: skip


def row(found: Replay, name: str, **params: object) -> Row:
    return next(
        each
        for each in found.rows
        if each.name == name and all(each.params[key] == params[key] for key in params)
    )


PAIR = table([[0, 1], [0, 1], [1, 1], [1, 0]], [[1, 4], [1, 4], [2, 4], [1, 2]])


def answers(discrimination: list[float], tasks: int = 4000) -> Floats:
    """Answers of models of one ability, (tasks, models), that differ in discrimination."""
    random = stream(4, "answers")
    steep, difficulty = np.array(discrimination), random.standard_normal(tasks)
    chance = 1 / (1 + np.exp(-steep * (0.2 - difficulty[:, None])))
    return (random.random((tasks, len(steep))) < chance).astype(float)
