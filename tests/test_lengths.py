"""What models have of their own beside others: a discrimination, and a spread of lengths."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.chance import mix
from sim.models import Endpoint, Pool
from sim.models.lengths import OwnLength, longest_ppm, relative_variance
from sim.units import PPM
from tests.scenarios_for_tests import CHAT, lively, model, ran, scenario, task, token_model

BITS = [mix(number, 5, 0) for number in range(60_000)]


def endpoint(**changes: object) -> Endpoint:
    return Pool(scenario({"m": token_model(**changes)})).endpoints[0]


@pytest.mark.parametrize("sigma", [0.2, 0.7, 1.5])
def test_the_factor_has_mean_one_and_the_variance_it_says(sigma: float) -> None:
    factors = np.array([OwnLength(sigma).factor_ppm(bits) for bits in BITS]) / PPM
    assert factors.mean() == pytest.approx(1, abs=4 * factors.std() / len(BITS) ** 0.5)
    assert factors.var() == pytest.approx(relative_variance(sigma), rel=0.12)
    assert factors.max() * PPM <= OwnLength(sigma).most_ppm


@given(st.integers(0, 2**64 - 1), st.floats(0.01, 2), st.integers(1, 10**8))
def test_no_answer_is_longer_than_the_longest(bits: int, sigma: float, tokens_ppm: int) -> None:
    own = OwnLength(sigma).factor_ppm(bits)
    assert own > 0
    assert -(-tokens_ppm * own // PPM) <= longest_ppm(tokens_ppm, sigma)


def test_without_a_spread_of_its_own_answers_are_as_long_as_ever() -> None:
    one, other = endpoint(), endpoint(output_sigma=0)
    assert one.longest_tokens_ppm == one.wrong_tokens_ppm == 2 * PPM
    assert other.answer(task(), 0) == one.answer(task(), 0)


def test_lengths_differ_between_models_and_attempts_and_nothing_else_does() -> None:
    plain = Pool(scenario({"a": model(), "b": model()})).endpoints
    spread = Pool(scenario({n: model(output_sigma=0.8) for n in ("a", "b")})).endpoints
    hard = [task(draw=bits, difficulty=0) for bits in BITS[:400]]
    lengths = [
        [end.answer(each, attempt).output_tokens for each in hard]
        for end in spread
        for attempt in (0, 1)
    ]
    for one in range(4):
        for other in range(one):
            assert abs(np.corrcoef(lengths[one], lengths[other])[0, 1]) < 0.2
    for one_end, other_end in zip(plain, spread, strict=True):
        rights = [[end.answer(each, 0).right for each in hard] for end in (one_end, other_end)]
        assert rights[0] == rights[1]


def test_the_quote_bounds_every_charge() -> None:
    talker = endpoint(output_sigma=1.2)
    for bits in BITS[:3000]:
        each = task(draw=bits, difficulty=0)
        charge = talker.charge_micros(each, talker.answer(each, 0), talker.tariff)
        assert charge <= talker.quote_micros(each)


def test_a_run_with_spreads_and_own_discriminations_keeps_the_laws() -> None:
    changed = lively(150).model_dump(mode="json", exclude_none=True)
    for number, each in enumerate(changed["models"].values()):
        each.update(output_sigma=0.4 * number, discrimination=1.0 + number)
    frames = ran(scenario(changed["models"], changed["groups"], tasks=150))
    assert (frames.calls["charge_micros"] <= frames.calls["quote_micros"]).all()


def test_a_steeper_model_solves_as_much_of_the_mix_and_less_of_what_is_hard() -> None:
    steep, flat = (endpoint(quality={CHAT: 0.7}, discrimination=d) for d in (8.0, 0.5))
    intent = task().intent
    assert steep.chance_ppm(intent, -2 * PPM) > flat.chance_ppm(intent, -2 * PPM)
    assert steep.chance_ppm(intent, 2 * PPM) < flat.chance_ppm(intent, 2 * PPM)
    nodes = np.linspace(-6, 6, 1201)
    weights = np.exp(-(nodes**2) / 2)
    for end in (steep, flat):
        chances = [end.chance_ppm(intent, round(node * PPM)) for node in nodes]
        assert (weights * chances).sum() / weights.sum() / PPM == pytest.approx(0.7, abs=1e-3)
