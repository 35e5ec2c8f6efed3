"""Verdicts: whether what replications found is near a known answer, and whether a suite passes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from sim.experiment.statistics import Interval, interval, t_quantile
from sim.verify.case import Controls, Known

Word: TypeAlias = Literal["near", "off", "fails"]
FAR_ERRORS, WIDE, NEAR_SHARE = 4.0, 0.05, 0.9
AMISS_ERRORS = 6.0
"""Standard errors by which a control is not what it should be: sums of squares have long tails."""
ROUNDING = 1e-9
LEVEL = 0.95


@dataclass(frozen=True)
class Verdict:
    """One line of a suite's table.

    ``near``: the interval covers the truth, or reaches a bound's good side. ``fails``, for the
    ``reason`` given: off by more than 4 standard errors, a half width over 5 % of the truth (a
    bound asks for none), an exact answer that any replication misses, a control whose mean is not
    zero by 6 standard errors, or a run that could not end.
    ``off`` is what lies between. ``far``: of these faults the first, where chance has a part.
    """

    case: str
    known: Known
    estimate: Interval | None
    word: Word
    reason: str = ""
    far: bool = False


def estimated(values: Sequence[float], controls: Sequence[Sequence[float]]) -> Interval:
    """The mean of independent values with its 95 % interval, chance taken out by the controls.

    The values' linear dependence on controls of mean zero is estimated and subtracted; the interval
    is that of the regression's constant, Student's t with n - q - 1 degrees (Lavenberg and Welch
    1981, "A perspective on the use of control variables to increase the efficiency of Monte Carlo
    simulations").
    """
    n, kinds = len(values), len(controls[0]) if controls else 0
    if not kinds or n < kinds + 3:
        return interval(values, LEVEL)
    design = np.column_stack([np.ones(n), np.asarray(controls)])
    inverse = np.linalg.pinv(design)
    target = np.asarray(values)
    fitted = inverse @ target
    freedom = n - kinds - 1
    variance = float(((target - design @ fitted) ** 2).sum()) / freedom
    error = math.sqrt(variance * float((inverse[0] ** 2).sum()))
    return Interval(float(fitted[0]), t_quantile((1 + LEVEL) / 2, freedom) * error, n, LEVEL)


def judge(
    case: str, known: Known, values: Sequence[float], controls: Sequence[Controls]
) -> Verdict:
    """The verdict on what at least two replications found for a known answer."""
    if known.binding == "exact":
        wrong = [value for value in values if value != known.truth]
        shown = interval(wrong or values, LEVEL)
        reason = f"{len(wrong)} of {len(values)} replications differ" if wrong else ""
        return Verdict(case, known, shown, "fails" if wrong else "near", reason)
    found = estimated(values, [list(each.values()) for each in controls])
    half = found.half_width or 0.0
    freedom = len(values) - 1 - (len(controls[0]) if controls else 0)
    error = half / t_quantile((1 + LEVEL) / 2, freedom)
    if strange := _amiss(controls):
        return Verdict(case, known, found, "fails", strange)
    beyond = _beyond(known, found.mean) - ROUNDING * abs(known.truth) - known.unit
    if beyond > FAR_ERRORS * error:
        far = f"off by {beyond / error:.1f} standard errors" if error else "off, and without chance"
        return Verdict(case, known, found, "fails", far, far=error > 0)
    if known.binding == "equal" and half > WIDE * abs(known.truth):
        if not known.truth:
            return Verdict(case, known, found, "fails", "an interval around 0")
        share = half / abs(known.truth)
        wide = f"half width {share:.1%} of the truth, over {WIDE:.0%}: takes about"
        wide += f" {(share / WIDE) ** 2:.1f} times the --reps, or tasks"
        return Verdict(case, known, found, "fails", wide)
    return Verdict(case, known, found, "near" if beyond <= half else "off")


def _amiss(controls: Sequence[Controls]) -> str:
    """Which control is not zero on average: what it explains would be no mere chance."""
    for name in controls[0] if controls else ():
        found = interval([each[name] for each in controls], LEVEL)
        error = (found.half_width or 0.0) / t_quantile((1 + LEVEL) / 2, found.reps - 1)
        if abs(found.mean) > AMISS_ERRORS * error + ROUNDING:
            return f"{name} are {found.mean:+.1%} off what they should be, far beyond chance"
    return ""


def _beyond(known: Known, mean: float) -> float:
    """How far a mean is from where it should be."""
    if known.binding == "equal":
        return abs(mean - known.truth)
    return max(0.0, mean - known.truth if known.binding == "at most" else known.truth - mean)


def passes(verdicts: Sequence[Verdict]) -> bool:
    """Whether none fails, and at least 90 % are near."""
    fails = any(verdict.word == "fails" for verdict in verdicts)
    return not fails and enough_near(verdicts)


def enough_near(verdicts: Sequence[Verdict]) -> bool:
    """Whether at least 90 % are near."""
    near = sum(verdict.word == "near" for verdict in verdicts)
    return near >= NEAR_SHARE * len(verdicts)
