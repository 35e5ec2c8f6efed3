"""Scores over time: what each rule makes of a series of verdicts."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.chance import stream
from sim.models import Pool
from sim.scenario import from_mapping
from sim.units import PPM
from sim.validators import SCORES, Beta, Cumulative, Ewma, ScoreRule, Window
from tests.scenarios_for_tests import CHAT, lively, model, ran, scenario

VERDICTS = st.lists(st.integers(0, PPM), min_size=1, max_size=40)
DECLARED = st.integers(0, PPM)


def scores(rule: ScoreRule, declared_ppm: int, verdicts: list[int]) -> list[int]:
    """The score after each verdict."""
    running = rule.running(declared_ppm)
    return [running.take(verdict) for verdict in verdicts]


@pytest.mark.parametrize("kind", SCORES)
@given(declared=DECLARED, verdicts=VERDICTS)
def test_every_score_is_a_share_and_forgets_no_run_of_its_own(
    kind: str, declared: int, verdicts: list[int]
) -> None:
    rule = SCORES[kind]()
    found = scores(rule, declared, verdicts)
    assert 0 <= rule.starts(declared) <= PPM
    assert all(0 <= score <= PPM for score in found)
    assert found == scores(rule, declared, verdicts)


@pytest.mark.parametrize("kind", SCORES)
@given(declared=DECLARED, verdicts=VERDICTS, better=st.integers(0, PPM))
def test_a_better_verdict_never_lowers_a_score(
    kind: str, declared: int, verdicts: list[int], better: int
) -> None:
    rule = SCORES[kind]()
    praised = [max(verdicts[0], better), *verdicts[1:]]
    assert scores(rule, declared, praised)[-1] >= scores(rule, declared, verdicts)[-1]


@pytest.mark.parametrize("kind", SCORES)
@given(verdict=DECLARED)
def test_a_model_that_never_changes_ends_at_its_verdict(kind: str, verdict: int) -> None:
    rule = SCORES[kind]()
    assert scores(rule, 0, [verdict] * 4000)[-1] == pytest.approx(verdict, abs=300)


@given(VERDICTS)
def test_cumulative_is_the_mean_of_all(verdicts: list[int]) -> None:
    found = scores(Cumulative(), 5, verdicts)
    assert found[-1] == sum(verdicts) // len(verdicts)
    assert Cumulative().starts(5) == 5


@given(DECLARED, VERDICTS, st.sampled_from([0.01, 0.1, 0.5]))
def test_ewma_weighs_what_is_past_by_powers(
    declared: int, verdicts: list[int], weight: float
) -> None:
    exact, part = Fraction(declared), Fraction(round(weight * 2**20), 2**20)
    for verdict in verdicts:
        exact += part * (verdict - exact)
    assert scores(Ewma(weight=weight), declared, verdicts)[-1] == pytest.approx(float(exact), abs=2)


@pytest.mark.parametrize("weight", [0.02, 0.2, 0.6])
def test_the_variance_of_ewma_is_s2_a_over_2_minus_a(weight: float) -> None:
    """Roberts 1959, of independent verdicts; the tolerance is some four standard errors."""
    verdicts = stream(3, "ewma").integers(0, PPM, size=200_000)
    found = np.array(scores(Ewma(weight=weight), PPM // 2, verdicts.tolist()))[2000:]
    wanted = PPM**2 / 12 * weight / (2 - weight)
    assert found.var() == pytest.approx(wanted, rel=0.06)
    assert found.mean() == pytest.approx(PPM / 2, rel=0.01)


@given(
    st.lists(st.booleans(), min_size=1, max_size=30),
    st.sampled_from([(1.0, 1.0), (0.5, 0.5), (8.0, 2.0)]),
)
def test_beta_is_the_mean_of_the_posterior(rights: list[bool], prior: tuple[float, float]) -> None:
    a, b = prior
    rule = Beta(right=a, wrong=b)
    found = scores(rule, 0, [PPM * right for right in rights])
    exact = (a + sum(rights)) / (a + b + len(rights))
    assert found[-1] == pytest.approx(exact * PPM, abs=2)
    assert rule.starts(123) == pytest.approx(a / (a + b) * PPM, abs=1)


def test_beta_forgets_evidence_and_not_its_prior() -> None:
    rule = Beta(forgetting=0.1)
    found = scores(rule, 0, [PPM] * 500 + [0] * 500)
    assert found[499] == pytest.approx(11 / 12 * PPM, abs=100)  # evidence adds up to 1 / .1
    assert found[-1] == pytest.approx(1 / 12 * PPM, abs=100)


@given(VERDICTS)
def test_beta_without_forgetting_does_not_look_at_the_order(verdicts: list[int]) -> None:
    ends = {scores(Beta(), 0, each)[-1] for each in (verdicts, verdicts[::-1], sorted(verdicts))}
    assert len(ends) == 1


@pytest.mark.parametrize("kind", SCORES)
def test_every_rule_scores_a_run(kind: str) -> None:
    judged = {"kind": "median", "noise": 0.1, "score": {"kind": kind}}
    one, two = (ran(lively(100, validators=judged)) for _ in range(2))
    assert one.digest == two.digest


def test_a_pool_starts_where_its_rule_does_and_follows_it() -> None:
    judged = {"kind": "mean", "score": {"kind": "beta", "right": 3}}
    pool = Pool(scenario({"m": model()}, validators=judged))
    intent = list(scenario().intents).index(CHAT)
    assert pool.scores[intent] == [750_000]
    pool.observe(intent, 0, PPM)
    assert pool.scores[intent] == [800_000]


def test_a_block_without_a_kind_is_of_the_kind_it_has_by_default() -> None:
    made = scenario(validators={"count": 3, "score": {"verdicts": 9}})
    assert made.validators.kind == "median"
    assert made.validators.score == Window(verdicts=9)
    document = scenario().model_dump(mode="json", exclude_none=True)
    del document["validators"]["score"]
    changed = from_mapping(document, ["validators.score.verdicts=7"])
    assert changed.validators.score == Window(verdicts=7)
