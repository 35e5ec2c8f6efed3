"""Demand: the tasks of an agent, as its own random streams draw them."""

import math
from collections.abc import Iterator
from itertools import repeat

import numpy as np

from sim.arrivals import Floats, posting_times
from sim.chance import stream
from sim.facts import Task
from sim.scenario.demand import Demand
from sim.scenario.schema import Group
from sim.units import PPM, Int64Array, micros_from_usd_exact, us_from_seconds_nearest
from sim.validators import Validators

TOKENS_MAX = 10**9


class Sizes:
    """The lognormal sizes and normal difficulties of a group's intents, as arrays by intent."""

    def __init__(self, demands: list[Demand]) -> None:
        self.input_mean = np.array([math.log(d.input_tokens.median) for d in demands])
        self.input_sigma = np.array([d.input_tokens.sigma for d in demands])
        self.output_mean = np.array([math.log(d.output_tokens.median) for d in demands])
        self.output_sigma = np.array([d.output_tokens.sigma for d in demands])
        self.difficulty_mean = np.array([d.difficulty.mean for d in demands])
        self.difficulty_sigma = np.array([d.difficulty.sigma for d in demands])
        shares = np.cumsum([d.share for d in demands])
        self.steps = shares[:-1] / shares[-1]

    def inputs(self, which: Int64Array, normal: Floats) -> list[int]:
        """Prompt sizes in tokens, of the intents ``which``, from standard normal variates."""
        return _tokens(self.input_mean[which] + self.input_sigma[which] * normal)

    def outputs(self, which: Int64Array, normal: Floats) -> list[int]:
        """Sizes of the reference answers in tokens."""
        return _tokens(self.output_mean[which] + self.output_sigma[which] * normal)

    def difficulties(self, which: Int64Array, normal: Floats) -> list[int]:
        """Difficulties in millionths of the reference mix's standard deviation."""
        return _millionths(self.difficulty_mean[which] + self.difficulty_sigma[which] * normal)


def _tokens(logarithm: Floats) -> list[int]:
    sizes = np.rint(np.exp(np.minimum(logarithm, math.log(TOKENS_MAX)))).astype(np.int64)
    tokens: list[int] = np.maximum(sizes, 1).tolist()
    return tokens


def _millionths(values: Floats) -> list[int]:
    millionths: list[int] = np.rint(values * PPM).astype(np.int64).tolist()
    return millionths


WHOLE = (0, 0, 0)
"""Step, clone and context of a task that is posted as a whole."""
PURPOSES = ("intent", "input", "output", "difficulty", "luck", "service", "judges")


def tasks(
    seed: int, group_id: str, index: int, group: Group, intents: list[int], validators: Validators
) -> Iterator[Task]:
    """The tasks of one agent, for ever, in blocks of at most 256 per stream.

    Args:
        index: the agent's number within its group.
        intents: position in the scenario's list of each of the group's intents.
    """
    name = (seed, group_id, index)
    choice, entry, reference, hardness, luck, service, judges = (
        stream(*name, purpose) for purpose in PURPOSES
    )
    sizes, positions = Sizes(list(group.intents.values())), np.array(intents)
    deadline_us = us_from_seconds_nearest(group.deadline_s)
    values = group.values.source(micros_from_usd_exact(group.value_usd), name)
    limit_micros = micros_from_usd_exact(group.max_price_usd)
    for times in posting_times(group.arrival, name):
        n = len(times)
        which = np.searchsorted(sizes.steps, choice.random(n), side="right")
        columns = (
            times,
            [posted_us + deadline_us for posted_us in times],
            positions[which].tolist(),
            sizes.inputs(which, entry.standard_normal(n)),
            sizes.outputs(which, reference.standard_normal(n)),
            sizes.difficulties(which, hardness.standard_normal(n)),
            luck.integers(0, 2**64, size=n, dtype=np.uint64).tolist(),
            _millionths(service.standard_normal(n)),
            validators.errors_ppm(judges, n).tolist(),
            values(n),
        )
        same = (limit_micros, *WHOLE)
        yield from map(Task._make, zip(*columns, *map(repeat, same), strict=False))
