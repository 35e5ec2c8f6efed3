"""Item response by marginal maximum likelihood: abilities, and how steeply models fail together.

P(right) = 1 / (1 + exp(-(c - a d))), with d the task's difficulty, standard normal, a the
discrimination and c / a the ability: the simulator's own response (Birnbaum 1968). Difficulties are
integrated out (Bock and Aitkin 1981), so there is one intercept c per model and intent, and one a
for all models, or one per model where the outcomes call for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sim.replay.table import Floats
from sim.units import Int64Array

NODES = np.linspace(-6.0, 6.0, 121)
STEEP_LEAST, STEEP_MOST, INTERCEPT_MOST = 0.2, 10.0, 25.0
QUALITY_LEAST = 0.001
MODELS_LEAST = 3


@dataclass(frozen=True)
class Response:
    """A fitted response.

    Args:
        quality: (intents, models) share solved of tasks of standard normal difficulty.
        discrimination: per model; all the same if ``common``.
        log_likelihood: its maximum. parameters: how many were fitted. tasks: how many answered.
    """

    quality: Floats
    discrimination: Floats
    common: bool
    log_likelihood: float
    parameters: int
    tasks: int

    def moved(self, by: Floats) -> "Response":
        """The same with qualities moved by ``by``, kept between 0.001 and 0.999."""
        quality = np.clip(self.quality + by, QUALITY_LEAST, 1 - QUALITY_LEAST)
        return replace(self, quality=quality)

    @property
    def bic(self) -> float:
        """Parameters log(tasks) - 2 log likelihood (Schwarz 1978): the less, the better."""
        return float(self.parameters * np.log(self.tasks) - 2 * self.log_likelihood)


@dataclass(frozen=True)
class _Patterns:
    """The different patterns of answers in one intent, (patterns, models), and their counts."""

    right: Floats
    count: Floats


def response(right: Floats, intent: Int64Array, intents: int, common: bool) -> Response:
    """The response of maximal marginal likelihood.

    Args:
        right: (tasks, models) of 0 and 1. intent: (tasks,) position of each task's intent.
        common: one discrimination for all models.
    """
    from scipy.optimize import minimize

    models = right.shape[1]
    patterns = [_patterns(right[intent == each]) for each in range(intents)]
    start = np.stack([_logit(right[intent == each]) for each in range(intents)])
    slopes = 1 if common else models
    first = np.concatenate([1.3 * start.ravel(), np.zeros(slopes)])
    bounds = [(-INTERCEPT_MOST, INTERCEPT_MOST)] * start.size
    bounds += [(float(np.log(STEEP_LEAST)), float(np.log(STEEP_MOST)))] * slopes
    found = minimize(
        _loss, first, args=(patterns, models, common), jac=True, method="L-BFGS-B", bounds=bounds,
        options={"maxiter": 500, "ftol": 1e-11, "gtol": 1e-6},
    )  # fmt: skip
    intercept = found.x[: start.size].reshape(start.shape)
    steep = np.exp(np.broadcast_to(found.x[start.size :], models)).copy()
    likelihood = -float(found.fun) * len(right)
    made = Response(solved(intercept, steep), steep, common, likelihood, len(first), len(right))
    return made.moved(np.zeros_like(intercept))


def _patterns(right: Floats) -> _Patterns:
    different, count = np.unique(right, axis=0, return_counts=True)
    return _Patterns(different, count.astype(np.float64))


def _logit(right: Floats) -> Floats:
    share = (right.sum(axis=0) + 0.5) / (len(right) + 1)
    logit: Floats = np.log(share / (1 - share))
    return logit


def _weights() -> Floats:
    density = np.exp(-NODES * NODES / 2)
    weights: Floats = density / density.sum()
    return weights


def solved(intercept: Floats, discrimination: Floats) -> Floats:
    """The mean of P(right) over standard normal difficulties, by trapezoids: (intents, models)."""
    exponent = intercept[:, :, None] - discrimination[None, :, None] * NODES
    found: Floats = (_weights() / (1 + np.exp(-exponent))).sum(axis=2)
    return found


def _loss(
    parameters: Floats, patterns: Sequence[_Patterns], models: int, common: bool
) -> tuple[float, Floats]:
    """Minus the marginal log likelihood per task, and its gradient."""
    size = len(patterns) * models
    intercept = parameters[:size].reshape(-1, models)
    steep = np.exp(np.broadcast_to(parameters[size:], models))
    log_weights, total, tasks = np.log(_weights()), 0.0, 0.0
    by_intercept, by_steep = np.empty_like(intercept), np.zeros(models)
    for at, each in enumerate(patterns):
        exponent = intercept[at][:, None] - steep[:, None] * NODES
        joint = each.right @ exponent - np.logaddexp(0, exponent).sum(axis=0) + log_weights
        peak = joint.max(axis=1, keepdims=True)
        posterior = np.exp(joint - peak)
        mass = posterior.sum(axis=1, keepdims=True)
        total += float((each.count * (peak + np.log(mass))[:, 0]).sum())
        tasks += float(each.count.sum())
        posterior *= each.count[:, None] / mass
        slope = each.right.T @ posterior - posterior.sum(axis=0) / (1 + np.exp(-exponent))
        by_intercept[at] = slope.sum(axis=1)
        by_steep -= (slope * NODES).sum(axis=1) * steep
    tail = [by_steep.sum()] if common else by_steep
    return -total / tasks, -np.concatenate([by_intercept.ravel(), tail]) / tasks


def fitted(right: Floats, intent: Int64Array, intents: int) -> Response:
    """The better of the response with one discrimination and that with one per model, by BIC.

    Two models cannot tell two discriminations apart: they share one.
    """
    common = response(right, intent, intents, common=True)
    if right.shape[1] < MODELS_LEAST:
        return common
    own = response(right, intent, intents, common=False)
    return own if own.bic < common.bic else common
