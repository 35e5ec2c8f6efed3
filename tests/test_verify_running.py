"""Running a suite of known answers: what counts, what is asked again, and under which seeds."""

import random

from sim.experiment.workers import Serial
from sim.facts import LawError
from sim.verify import running
from sim.verify.case import Case, Found, Known
from sim.verify.running import run
from sim.verify.suite import Asked
from sim.verify.verdict import judge, passes
from tests.test_verify import values


class Coin(Case):
    """A case that finds what it is told to, to judge the judge by."""

    kind: str = "coin"
    truth: float = 1.0
    bias: float = 0.0
    error: str = ""

    def known(self) -> list[Known]:
        return [Known("mean", "truth", self.truth)]

    def observe(self, seed: int) -> Found:
        if self.error:
            raise LawError("conservation", self.error, "nothing")
        return Found([random.Random(seed).gauss(self.truth + self.bias, 0.05)])


def test_a_run_tells_the_sound_from_the_biased_and_the_broken() -> None:
    cases = [Coin(), Coin(bias=0.1), Coin(error="a law")]
    told: list[tuple[int, int, int, str]] = []
    judged = run(
        [Asked("coins", case) for case in cases],
        Serial(),
        told=lambda *state: told.append(state),
    )
    assert [each.verdict.word for each in judged] == ["near", "fails", "fails"]
    assert judged[2].verdict.reason == "law conservation: found a law, needed nothing"
    assert told[-1][:3] == (120, 20, 120)  # the biased has sixty replications more
    assert [each.verdict.estimate.reps for each in judged[:2] if each.verdict.estimate] == [20, 60]


class Unlucky(Coin):
    """A case that is far off in its first twenty replications, and never again."""

    kind: str = "unlucky"
    shift: float = 1.0

    def observe(self, seed: int) -> Found:
        first = {running.seed_of(1, Asked("coins", self), rep) for rep in range(20)}
        return Found([super().observe(seed).values[0] + self.shift * (seed in first)])


def reps_of(cases: list[Case]) -> list[int]:
    """How many replications the verdicts on cases that are near in the end rest on."""
    judged = [each.verdict for each in run([Asked("coins", case) for case in cases], Serial())]
    assert passes(judged)
    return [each.estimate.reps for each in judged if each.estimate]


def test_a_case_that_is_far_off_by_chance_is_asked_again_and_what_it_says_then_counts() -> None:
    assert judge("case", Known("x", "f", 1.0), values(2.0, 0.01), []).far
    others: list[Case] = [Coin(truth=place) for place in range(2, 40)]
    assert reps_of([Unlucky(), *others])[0] == 60


def test_a_case_that_is_merely_off_is_asked_again_only_where_too_few_are_near() -> None:
    off = Unlucky(shift=0.04)
    others: list[Case] = [Coin(truth=place) for place in range(2, 40)]
    assert reps_of([off]) == [60]
    assert set(reps_of([off, *others])) == {20}


def test_replications_have_seeds_of_their_own_and_the_same_every_time() -> None:
    asked = [Asked("coins", Coin()), Asked("coins", Coin(truth=2))]
    seeds = [running.seed_of(1, each, rep) for each in asked for rep in range(9)]
    assert len(set(seeds)) == 18
    assert seeds == [running.seed_of(1, each, rep) for each in asked for rep in range(9)]
    assert running.seed_of(2, asked[0], 0) not in seeds
