"""Token and cost laws: lognormal sizes per intent, and prices that give each model its costs.

In the simulator a task's prompt X and reference answer Y are lognormal and independent within an
intent, a model's answer is Y times its verbosity and a factor F of mean 1 of its own, and its
charge is p X + r Y F, rounded up. Means and spreads over the mix of intents are known sums: what
models share gives the spread of Y, what each has beyond that gives F's.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from sim.models.lengths import relative_variance
from sim.replay.prices import prices_of
from sim.replay.table import Floats, Table
from sim.units import Int64Array

NOMINAL_TOKENS = 1000.0
SIGMA_MOST = 5.0
EVEN, NEAR = 1e-3, 0.02
ROUNDING_MICROS = 0.5
OWN_SIGMA_MOST = 2.0


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

    def spread_to(self, relative_variance: float) -> "Law":
        """The same means, the variances within intents scaled so that the mix has this one."""
        within = float((self.share * self.variance).sum())
        wanted = within + (relative_variance - self.relative_variance) * self.total**2
        factor = max(0.0, wanted / within) if within else 0.0
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
        own_sigma: deviation of the logarithm of F, per model.
        per_call: micros where a model's cost does not vary, else None.
        per_input, per_output: micros per token. misfit: relative error of the spread, per model.
    """

    input: Law
    output: Law
    nominal: bool
    verbosity: Floats
    own_sigma: Floats
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
        shared, own = spreads(table.output_tokens)
        laws = (law_of(table.prompts.astype(np.float64), intent, intents),
                law_of(reference, intent, intents).spread_to(shared))  # fmt: skip
        verbosity = np.clip(means / means.mean(), 0.01, 100.0)
        found = _priced(laws, micros, verbosity, own, list_shares(table, micros), nominal=False)
        if found.misfit.max(initial=0.0) <= NEAR:
            return found
    prompts, answers = _nominal(table, micros, intent, intents)
    shared, own = (0.0, np.zeros(models)) if micros is None else spreads(micros)
    even = np.ones(models)
    return _priced((prompts, answers.spread_to(shared)), micros, even, own, even, nominal=True)


def spreads(values: Floats) -> tuple[float, Floats]:
    """The relative variance that models share, and that of each one's own factor.

    With v the mean over pairs of the relative covariance, a model's own is (1 + v_i) / (1 + v) - 1:
    variances of products of independent factors of mean 1. A single model shares all of its own.

    Args:
        values: (tasks, models) of non-negative amounts.
    """
    relative = values / np.maximum(values.mean(axis=0), 1e-12)
    moments = np.einsum("ti,tj->ij", relative, relative) / len(values)
    own, models = moments.diagonal(), len(moments)
    if models == 1:
        return max(0.0, float(own[0]) - 1), np.zeros(1)
    shared = max(1.0, float(moments.sum() - own.sum()) / (models * (models - 1)))
    return shared - 1, np.maximum(own / shared - 1, 0.0)


def own_sigma(variance: float) -> float:
    """The deviation whose factor has this relative variance, by bisection; at most 2."""
    low, high = 0.0, OWN_SIGMA_MOST
    if relative_variance(high) <= variance:
        return high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if relative_variance(middle) < variance else (low, middle)
    return high


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
    shares = np.ones(len(table.models))
    if micros is None or table.input_tokens is None or table.output_tokens is None:
        return shares
    means = np.stack([table.input_tokens.mean(axis=0), table.output_tokens.mean(axis=0)], axis=1)
    parts = prices_of(table) * means
    total = parts.sum(axis=1)
    return np.where(total > 0, parts[:, 1] / np.where(total > 0, total, 1), shares)


def _priced(
    laws: tuple[Law, Law], micros: Floats | None, verbosity: Floats, own: Floats, near: Floats,
    nominal: bool,
) -> Costs:  # fmt: skip
    models = len(verbosity)
    per_call: list[float | None] = [None] * models
    per_input, per_output, misfit = np.zeros(models), np.zeros(models), np.zeros(models)
    sigma = np.array([own_sigma(each) for each in own.tolist()])
    if micros is None:
        free: list[float | None] = [0.0] * models
        return Costs(*laws, nominal, verbosity, sigma, free, per_input, per_output, misfit)
    means, deviations = micros.mean(axis=0), micros.std(axis=0)
    fine = np.maximum(np.maximum(means - ROUNDING_MICROS, means / 2), 1e-12)
    for model in range(models):
        if deviations[model] < EVEN * max(means[model], 1e-12):
            per_call[model] = float(means[model])
            continue
        wanted, split = float(deviations[model] / fine[model]), float(near[model])
        sigma[model] = _widened(laws, wanted, split, float(sigma[model]))
        variance = relative_variance(sigma[model])
        share, misfit[model] = share_of_output(*laws, wanted, split, variance)
        per_input[model] = (1 - share) * fine[model] / laws[0].total
        per_output[model] = share * fine[model] / (laws[1].total * verbosity[model])
    return Costs(*laws, nominal, verbosity, sigma, per_call, per_input, per_output, misfit)


def _widened(laws: tuple[Law, Law], wanted: float, share: float, sigma: float) -> float:
    """The own sigma with which a cost of this share of output is as spread as it should be.

    As it was, where the cost is too spread already: prices have to give way then.
    """
    vx, vy, cxy = moments_of(*laws, 0.0)
    if not share:
        return sigma
    rest = wanted**2 - (1 - share) ** 2 * vx - 2 * share * (1 - share) * cxy
    own = (1 + rest / share**2) / (1 + vy) - 1
    return own_sigma(own) if own >= 0 else sigma


def moments_of(prompt: Law, answer: Law, own: float) -> tuple[float, float, float]:
    """Relative variances of prompt and answer, a model's own factor included; their covariance."""
    spread = (1 + answer.relative_variance) * (1 + own) - 1
    return prompt.relative_variance, spread, prompt.relative_covariance(answer)


def share_of_output(
    prompt: Law, answer: Law, wanted: float, near: float, own: float = 0.0
) -> tuple[float, float]:
    """The share t of a mean cost that goes with the answer, so that cost / mean is as spread.

    (1-t)^2 vx + t^2 vy + 2 t (1-t) cxy = wanted^2: ``near`` if that is within 2 %, else the root
    next to it, kept to [0, 1]; without a root, the t of least spread. Returns it with the relative
    error of the spread. ``own`` is the relative variance of the model's own factor.
    """
    vx, vy, cxy = moments_of(prompt, answer, own)

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
