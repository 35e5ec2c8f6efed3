"""Token and cost laws: lognormal sizes per intent, and prices that give each model its costs.

In the simulator a task's prompt X and reference answer Y are lognormal and independent within an
intent, and a model's charge is p X + r Y, rounded up. Their means and spreads over the mix of
intents are known sums, so the share of the cost that goes with Y is the root of a quadratic.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from sim.replay.table import Floats, Table
from sim.units import Int64Array

NOMINAL_TOKENS = 1000.0
SIGMA_MOST = 5.0
EVEN, NEAR = 1e-3, 0.02
ROUNDING_MICROS = 0.5
WIDER = 1.02


@dataclass(frozen=True)
class Law:
    """A size per intent by its mean and variance, tasks falling on intents with ``share``."""

    mean: Floats
    variance: Floats
    share: Floats

    @property
    def total(self) -> float:
        """Mean over the mix."""
        return float((self.share * self.mean).sum())

    @property
    def relative_variance(self) -> float:
        """Variance over the mix, within and between intents, over the squared mean."""
        second = float((self.share * (self.variance + self.mean**2)).sum())
        return max(0.0, second / self.total**2 - 1) if self.total else 0.0

    def relative_covariance(self, other: "Law") -> float:
        """Covariance with another size, independent within each intent, over both means."""
        product = float((self.share * self.mean * other.mean).sum())
        return product / (self.total * other.total) - 1 if self.total and other.total else 0.0

    def lognormal(self) -> list[tuple[float, float]]:
        """(median, sigma) per intent: sigma^2 = log(1 + v / m^2), median = m exp(-sigma^2 / 2)."""
        mean = np.maximum(self.mean, 1.0)
        sigma = np.minimum(np.sqrt(np.log1p(self.variance / mean**2)), SIGMA_MOST)
        median = mean * np.exp(-(sigma**2) / 2)
        return list(zip(median.tolist(), sigma.tolist(), strict=True))

    def spread_by(self, factor: float) -> "Law":
        """The same means with every variance within intents times ``factor``."""
        return Law(self.mean, self.variance * factor, self.share)


def law_of(values: Floats, intent: Int64Array, intents: int) -> Law:
    """The law of a size per task."""
    count = np.bincount(intent, minlength=intents)
    mean = np.bincount(intent, values, minlength=intents) / np.maximum(count, 1)
    rest = (values - mean[intent]) ** 2
    variance = np.bincount(intent, rest, minlength=intents) / np.maximum(count, 1)
    return Law(mean, variance, count / count.sum())


@dataclass(frozen=True)
class Costs:
    """Sizes of the demand, and per model what it asks and how much it says.

    Args:
        input, output: laws of prompts and reference answers. nominal: they are not measured.
        verbosity: output tokens over the reference answer's.
        per_call: micros where a model's cost does not vary, else None.
        per_input, per_output: micros per token. misfit: relative error of the spread, per model.
    """

    input: Law
    output: Law
    nominal: bool
    verbosity: Floats
    per_call: list[float | None]
    per_input: Floats
    per_output: Floats
    misfit: Floats


def costs_of(table: Table, intent: Int64Array, intents: int) -> Costs:
    """The laws for a table: of its tokens where it has them and they allow the costs' spreads.

    Where they do not, or are not recorded, sizes are nominal: prompts of 1,000 tokens, answers as
    long as the tasks are dear.
    """
    models = len(table.models)
    micros = None if table.cost_usd is None else table.cost_usd * 1e6
    measured = table.input_tokens is not None and table.output_tokens is not None
    if measured and table.output_tokens is not None:
        means = np.maximum(table.output_tokens.mean(axis=0), 1e-9)
        reference = (table.output_tokens / means).mean(axis=1) * means.mean()
        laws = (law_of(table.prompts.astype(np.float64), intent, intents),
                law_of(reference, intent, intents))  # fmt: skip
        verbosity = np.clip(means / means.mean(), 0.01, 100.0)
        found = _priced(laws, micros, verbosity, list_shares(table, micros), nominal=False)
        if found.misfit.max(initial=0.0) <= NEAR:
            return found
    laws, even = _nominal(table, micros, intent, intents), np.ones(models)
    return _priced(laws, micros, even, even, nominal=True)


def _nominal(
    table: Table, micros: Floats | None, intent: Int64Array, intents: int
) -> tuple[Law, Law]:
    tasks = len(table.tasks)
    prompts = np.full(tasks, NOMINAL_TOKENS)
    if table.input_tokens is not None:
        prompts = table.prompts.astype(np.float64)
    relative = np.ones(tasks)
    if micros is not None:
        relative = (micros / np.maximum(micros.mean(axis=0), 1e-12)).mean(axis=1)
    constant = law_of(
        prompts if micros is None else np.full(tasks, NOMINAL_TOKENS), intent, intents
    )
    return constant, law_of(relative * NOMINAL_TOKENS, intent, intents)


def list_shares(table: Table, micros: Floats | None) -> Floats:
    """Each model's share of cost that goes with its output, by non-negative least squares."""
    from scipy.optimize import nnls

    shares = np.ones(len(table.models))
    if micros is None or table.input_tokens is None or table.output_tokens is None:
        return shares
    for model in range(len(table.models)):
        tokens = np.stack([table.input_tokens[:, model], table.output_tokens[:, model]], axis=1)
        parts = nnls(tokens, micros[:, model])[0] * tokens.mean(axis=0)
        shares[model] = parts[1] / parts.sum() if parts.sum() else 1.0
    return shares


def _priced(
    laws: tuple[Law, Law], micros: Floats | None, verbosity: Floats, near: Floats, nominal: bool
) -> Costs:
    models = len(verbosity)
    per_call: list[float | None] = [None] * models
    per_input, per_output, misfit = np.zeros(models), np.zeros(models), np.zeros(models)
    if micros is None:
        return Costs(*laws, nominal, verbosity, [0.0] * models, per_input, per_output, misfit)
    means, deviations = micros.mean(axis=0), micros.std(axis=0)
    wanted = deviations / np.maximum(means, 1e-12)
    fine = np.maximum(means - ROUNDING_MICROS, means / 2)
    laws = (laws[0], _wide_enough(*laws, float((deviations / np.maximum(fine, 1e-12)).max())))
    for model in range(models):
        if wanted[model] < EVEN:
            per_call[model] = float(means[model])
            continue
        share, misfit[model] = share_of_output(*laws, deviations[model] / fine[model], near[model])
        per_input[model] = (1 - share) * fine[model] / laws[0].total
        per_output[model] = share * fine[model] / (laws[1].total * verbosity[model])
    return Costs(*laws, nominal, verbosity, per_call, per_input, per_output, misfit)


def _wide_enough(prompt: Law, answer: Law, wanted: float) -> Law:
    """The law of answers, spread until some mix of prompt and answer is as wide as ``wanted``."""
    need = (WIDER * wanted) ** 2
    if max(prompt.relative_variance, answer.relative_variance) >= wanted**2:
        return answer
    within = float((answer.share * answer.variance).sum()) / answer.total**2
    if within <= 0:
        level = (need - answer.relative_variance) * answer.total**2
        return Law(answer.mean, answer.variance + level, answer.share)
    return answer.spread_by(1 + (need - answer.relative_variance) / within)


def share_of_output(prompt: Law, answer: Law, wanted: float, near: float) -> tuple[float, float]:
    """The share t of a mean cost that goes with the answer, so that cost / mean is as spread.

    (1-t)^2 vx + t^2 vy + 2 t (1-t) cxy = wanted^2: ``near`` if that is within 2 %, else the root
    next to it, kept to [0, 1]; without a root, the t of least spread. Returns it with the relative
    error of the spread.
    """
    vx, vy = prompt.relative_variance, answer.relative_variance
    cxy = prompt.relative_covariance(answer)

    def miss(share: float) -> float:
        variance = (1 - share) ** 2 * vx + share**2 * vy + 2 * share * (1 - share) * cxy
        return abs(sqrt(max(variance, 0.0)) / wanted - 1)

    if miss(near) <= NEAR:
        return near, miss(near)
    second, first, rest = vx + vy - 2 * cxy, 2 * (cxy - vx), vx - wanted**2
    if second <= 0:
        return near, miss(near)
    inner = max(first * first - 4 * second * rest, 0.0)
    roots = [(-first + sign * sqrt(inner)) / (2 * second) for sign in (-1, 1)]
    inside = [min(max(root, 0.0), 1.0) for root in roots]
    good = [share for share in inside if miss(share) <= NEAR]
    best = min(good, key=lambda share: abs(share - near)) if good else min(inside, key=miss)
    return best, miss(best)
