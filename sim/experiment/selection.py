"""Selecting the best of many designs with a guarantee, in as few runs as it takes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations

from sim.facts import Fault, ScenarioError

Observe = Callable[[Sequence[int], int], list[float]]
"""The values of some designs at a replication: all of them under the same random numbers."""


@dataclass(frozen=True)
class Selected:
    """What a selection found.

    Args:
        best: the design that was selected. reps: replications that each design was given.
        order: the designs, the best first; those eliminated earlier stand further down.
        confidence: with which the best's mean is within the indifference zone of the highest.
    """

    best: int
    reps: list[int]
    order: list[int]
    confidence: float


def select(
    designs: int, indifference: float, observe: Observe, first: int = 10, confidence: float = 0.95
) -> Selected:
    """The design of the highest mean, by the procedure KN.

    Kim and Nelson (2001, "A fully sequential procedure for indifference-zone selection in
    simulation", ACM TOMACS 11(3), 251-273), with c = 1 and the Bonferroni constant that allows for
    common random numbers: values are normal, and whenever the best mean is ``indifference`` or
    more above the second, it is selected with at least ``confidence``.

    Args:
        first: replications before any design may be eliminated (their n0), at least 2.

    Raises:
        ScenarioError: fewer than two designs, no indifference zone, ...
    """
    _check(designs, indifference, first, confidence)
    values: list[list[float]] = [[] for _ in range(designs)]
    alive = list(range(designs))
    for rep in range(first):
        _take(values, alive, observe(alive, rep))
    h2 = _h_squared(designs, first, confidence)
    spread = {(i, k): _variance(values[i], values[k]) for i, k in permutations(alive, 2)}
    most = max(math.floor(h2 * s / indifference**2) for s in spread.values())
    reps, dropped = first, list[int]()
    while len(alive) > 1 and reps <= most:
        means = {i: math.fsum(values[i]) / reps for i in alive}
        keep = [i for i in alive if all(
            means[i] >= means[k] - _slack(h2 * spread[i, k], indifference, reps)
            for k in alive if k != i
        )]  # fmt: skip
        dropped += sorted((i for i in alive if i not in keep), key=means.__getitem__)
        alive = keep
        if len(alive) > 1:
            _take(values, alive, observe(alive, reps))
            reps += 1
    means = {i: math.fsum(values[i]) / len(values[i]) for i in range(designs)}
    alive.sort(key=means.__getitem__, reverse=True)
    counts = [len(each) for each in values]
    return Selected(alive[0], counts, [*alive, *reversed(dropped)], confidence)


def _check(designs: int, indifference: float, first: int, confidence: float) -> None:
    faults = []
    if designs < 2:
        faults.append(Fault("designs", str(designs), "at least 2 to select from"))
    if not 0 < indifference < math.inf:
        faults.append(Fault("--indifference", f"{indifference:g}", "a difference above 0"))
    if first < 2:
        faults.append(Fault("--reps", str(first), "at least 2 before designs are eliminated"))
    if not 0.5 <= confidence < 1:
        faults.append(Fault("--confidence", f"{confidence:g}", "a share from 0.5 and below 1"))
    if faults:
        raise ScenarioError(tuple(faults))


def _h_squared(designs: int, first: int, confidence: float) -> float:
    """Their h^2 = 2 c eta (n0 - 1), for c = 1 and an error of (1 - confidence) / (k - 1) a pair."""
    error = 2 * (1 - confidence) / (designs - 1)
    eta = (math.pow(error, -2 / (first - 1)) - 1) / 2
    return 2 * eta * (first - 1)


def _slack(h2_spread: float, indifference: float, reps: int) -> float:
    return max(0.0, indifference / (2 * reps) * (h2_spread / indifference**2 - reps))


def _take(values: list[list[float]], alive: Sequence[int], taken: Sequence[float]) -> None:
    for design, value in zip(alive, taken, strict=True):
        values[design].append(value)


def _variance(base: Sequence[float], other: Sequence[float]) -> float:
    gaps = [a - b for a, b in zip(base, other, strict=True)]
    mean = math.fsum(gaps) / len(gaps)
    return math.fsum((gap - mean) ** 2 for gap in gaps) / (len(gaps) - 1)
