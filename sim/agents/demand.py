"""Demand: the tasks of an agent, as its own random streams draw them."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from typing import NamedTuple

import numpy as np

from sim.arrivals import Floats, Name, changing_times
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


class Chat(NamedTuple):
    """Since when (us) tasks of the intents ``chatty`` are turns of chats, and by which rules.

    A pause of more than ``idle_us`` ends a chat; at most ``context_max`` tokens are repeated.
    """

    from_us: int
    chatty: frozenset[int]
    idle_us: int
    context_max: int


def in_sessions(turns: Iterator[Task], chats: Sequence[Chat]) -> Iterator[Task]:
    """Tasks as turns of chats: each prompt repeats what was said since the last long pause.

    Only tasks of the intents that chat are turns; others take no notice of them.

    Args:
        chats: in order; the first from 0.
    """
    starts_us = [chat.from_us for chat in chats]
    said, last_us = 0, -1
    for task in turns:
        _, chatty, idle_us, context_max = chats[bisect_right(starts_us, task.posted_us) - 1]
        if task.intent not in chatty:
            if not chatty:
                said, last_us = 0, -1
            yield task
            continue
        if last_us < 0 or task.posted_us - last_us > idle_us:
            said = 0
        tokens = task.input_tokens
        yield task._replace(input_tokens=tokens + said, context_tokens=said)
        said = min(context_max, said + tokens + task.output_tokens)
        last_us = task.posted_us


class Spell(NamedTuple):
    """Since when (us) an agent's tasks are as its group, and are judged as the validators, say."""

    from_us: int
    group: Group
    validators: Validators


class _Terms:
    """What all of an agent's tasks of one spell have in common."""

    def __init__(self, spell: Spell, positions: Mapping[str, int], name: Name) -> None:
        group = spell.group
        self.sizes = Sizes(list(group.intents.values()))
        self.positions = np.array([positions[intent] for intent in group.intents])
        self.deadline_us = us_from_seconds_nearest(group.deadline_s)
        whose = (*name, "from", spell.from_us) if spell.from_us else name
        self.values = group.values.source(micros_from_usd_exact(group.value_usd), whose)
        self.limits = partial(group.values.limits, micros_from_usd_exact(group.max_price_usd))
        self.validators = spell.validators


def tasks(
    seed: int, group_id: str, index: int, spells: Sequence[Spell], positions: Mapping[str, int]
) -> Iterator[Task]:
    """The tasks of one agent, for ever, in blocks of at most 256 per stream.

    Args:
        index: the agent's number within its group.
        spells: in order; the first from 0.
        positions: of the intents in the scenario's list.
    """
    name = (seed, group_id, index)
    choice, entry, reference, hardness, luck, service, judges = (
        stream(*name, purpose) for purpose in PURPOSES
    )
    terms = [_Terms(spell, positions, name) for spell in spells]
    laws = [(spell.from_us, spell.group.arrival) for spell in spells]
    for number, times in changing_times(laws, name):
        n, by = len(times), terms[number]
        sizes, deadline_us = by.sizes, by.deadline_us
        which = np.searchsorted(sizes.steps, choice.random(n), side="right")
        values = by.values(n)
        columns = (
            times,
            [posted_us + deadline_us for posted_us in times],
            by.positions[which].tolist(),
            sizes.inputs(which, entry.standard_normal(n)),
            sizes.outputs(which, reference.standard_normal(n)),
            sizes.difficulties(which, hardness.standard_normal(n)),
            luck.integers(0, 2**64, size=n, dtype=np.uint64).tolist(),
            _millionths(service.standard_normal(n)),
            by.validators.errors_ppm(judges, n).tolist(),
            values,
            by.limits(values),
        )
        yield from map(Task._make, zip(*columns, *map(repeat, WHOLE), strict=False))
