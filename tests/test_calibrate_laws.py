"""The laws that calibration fits: item response, sizes and costs, latencies."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import check_grad

from sim.calibration import response as item
from sim.calibration.sizes import Law, law_of, own_sigma, share_of_output, spreads
from sim.chance import stream
from sim.models.lengths import relative_variance
from sim.replay.speed import speeds_of
from sim.replay.table import Floats
from tests.replay_helpers import answers, table


@pytest.mark.parametrize("common", [True, False])
def test_the_gradient_of_the_likelihood_is_its_gradient(common: bool) -> None:
    random = stream(1, "gradient")
    right = (random.random((40, 3)) < 0.5).astype(float)
    patterns = [item._patterns(right[:25]), item._patterns(right[25:])]
    at = random.standard_normal(6 + (1 if common else 3)) * 0.5

    def loss(point: Floats) -> float:
        return item._loss(point, patterns, 3, common)[0]

    def gradient(point: Floats) -> Floats:
        return item._loss(point, patterns, 3, common)[1]

    assert check_grad(loss, gradient, at) < 1e-6


def test_models_that_share_a_discrimination_are_given_one() -> None:
    best = item.fitted(answers([3, 3, 3, 3]), np.zeros(4000, np.int64), 1)
    assert best.common
    assert best.discrimination == pytest.approx(3, rel=0.1)


def test_models_that_do_not_are_given_their_own() -> None:
    steep, one = [0.6, 1.5, 3.0, 5.0], np.zeros(4000, np.int64)
    best = item.fitted(answers(steep), one, 1)
    assert best.bic < item.response(answers(steep), one, 1, common=True).bic
    assert best.discrimination == pytest.approx(np.array(steep), rel=0.25)
    assert item.fitted(answers([1, 4]), one, 1).common


def test_spreads_are_what_models_share_and_what_they_do_not() -> None:
    random = stream(5, "spread")
    shared, own = random.standard_normal((40_000, 1)), random.standard_normal((40_000, 3))
    sigma = np.array([0.1, 0.3, 0.6])
    common, alone = spreads(np.exp(0.4 * shared + sigma * own) * np.array([1, 5, 0.1]))
    assert common == pytest.approx(np.expm1(0.16), rel=0.05)
    assert alone == pytest.approx(np.expm1(sigma**2), rel=0.1, abs=0.01)
    assert spreads(np.exp(shared))[1].tolist() == [0.0]


@pytest.mark.parametrize("sigma", [0.0, 0.3, 1.0, 1.9])
def test_the_own_sigma_is_that_of_its_variance(sigma: float) -> None:
    assert own_sigma(relative_variance(sigma)) == pytest.approx(sigma, abs=1e-6)
    assert own_sigma(1e9) == 2.0


def test_a_law_is_spread_to_what_is_asked_for() -> None:
    law = Law(np.array([100.0, 300.0]), np.array([50.0, 900.0]), np.array([0.25, 0.75]))
    assert law.spread_to(0.5).relative_variance == pytest.approx(0.5)
    assert law.spread_to(0.5).mean is law.mean
    between = law.spread_to(0.0)
    assert between.variance.tolist() == [0.0, 0.0]


def test_sizes_keep_mean_and_spread() -> None:
    values = np.exp(6 + 0.8 * stream(1, "sizes").standard_normal(30_000))
    law = law_of(values, np.zeros(30_000, np.int64), 1)
    (median, sigma), *_ = law.lognormal()
    assert median == pytest.approx(np.exp(6), rel=0.05)
    assert sigma == pytest.approx(0.8, rel=0.05)
    assert law.total == pytest.approx(values.mean())
    assert law.relative_variance**0.5 == pytest.approx(values.std() / values.mean())


def test_the_share_of_the_output_gives_the_spread_asked_for() -> None:
    prompt, answer = (Law(np.array([1.0]), np.array([v]), np.array([1.0])) for v in (0.04, 1.0))
    for wanted in (0.25, 0.5, 0.9):
        share, misfit = share_of_output(prompt, answer, wanted, 1.0)
        assert misfit == pytest.approx(0, abs=1e-9)
        assert (1 - share) ** 2 * 0.04 + share**2 == pytest.approx(wanted**2)
    assert share_of_output(prompt, answer, 1.01, 1.0)[0] == 1.0
    assert share_of_output(prompt, answer, 2.0, 0.5)[0] == 1.0
    assert share_of_output(prompt, answer, 2.0, 0.5)[1] == pytest.approx(0.5)
    least, misfit = share_of_output(prompt, answer, 0.01, 1.0)
    assert least == pytest.approx(0.04 / 1.04)
    assert misfit > 1


def test_sizes_that_rise_together_between_intents_widen_a_cost() -> None:
    means, shares = np.array([100.0, 400.0]), np.array([0.5, 0.5])
    prompt, answer = Law(means, means**2 * 0.1, shares), Law(means, means**2 * 0.2, shares)
    share, misfit = share_of_output(prompt, answer, 0.72, 1.0)
    which = stream(1, "which").integers(0, 2, 400_000)
    normal = stream(1, "normal").standard_normal((2, 400_000))
    cost = (1 - share) * means[which] * (1 + 0.1**0.5 * normal[0])
    cost += share * means[which] * (1 + 0.2**0.5 * normal[1])
    assert misfit < 1e-9
    assert cost.std() / cost.mean() == pytest.approx(0.72, rel=0.01)


def test_latencies_without_tokens_are_all_first_token() -> None:
    seconds = np.exp(0.3 * stream(1, "s").standard_normal((5000, 1)))
    speed = (speeds_of(replace(table([[1.0]] * 5000), latency_s=seconds)) or [])[0]
    assert speed.sigma == pytest.approx(0.3, rel=0.05)
    mean_ms = speed.first_token_ms * np.exp(speed.sigma**2 / 2)
    assert mean_ms == pytest.approx(1000 * seconds.mean(), rel=1e-6)
    assert speeds_of(table([[1.0]])) is None
