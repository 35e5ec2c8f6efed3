"""Every family of known answers, small; and bugs on purpose, each of which makes a case fail."""

from collections import deque
from collections.abc import Iterator
from itertools import count

import numpy as np
import pytest

from sim import arrivals, chance, latencies
from sim.agents import demand
from sim.clearing.capacity import CapacityAuction
from sim.experiment.workers import Processes, Serial
from sim.models.endpoint import Call
from sim.routers import InversePower
from sim.units import share_floor
from sim.validators import Median, agreeing
from sim.verify.auctions import SecondPrice
from sim.verify.books import Books, NobodyShifts, SameRecord
from sim.verify.case import Case
from sim.verify.demand import PowerShares
from sim.verify.judging import Stakes
from sim.verify.queues import MM1, Priority
from sim.verify.running import run
from sim.verify.suite import FAMILIES, Asked, suite
from sim.verify.verdict import Verdict, passes

# Cases by family, with parameters by which they take a second or two.
SMALL = """
queues: erlang-c servers=5 tasks=1500
queues: m-m-1-k room=2 tasks=2500
queues: erlang-b servers=5 tasks=2500
queues: m-g-1 law=deterministic load=0.5 tasks=2000
queues: breakdowns load=0.2 tasks=4000
queues: jackson arrivals=0.5 tasks=2500
demand: logit tasks=1500
demand: inverse-power tasks=1500
competition: logit-bertrand
competition: calvano
competition: power-prices sellers=4
competition: lowest-price
cascades: cascade tasks=1000
auctions: second-price bidders=4
auctions: first-price bidders=4
auctions: uniform-price
auctions: procurement models=4
auctions: scoring models=4
auctions: execution-contingent tasks=700 right=0.97 rival_right=0.5
learning: oracle horizon=1000
learning: lai-robbins arms=0.9,0.5 horizon=3000
settlement: books
settlement: same-record
settlement: nobody-shifts
settlement: batch-size
settlement: batch-timer
settlement: emission
settlement: multiplier
judging: weighted-median
judging: audit-survival
"""
LINES = [line.split() for line in SMALL.split("\n") if line]


def verdicts(*cases: Case) -> list[Verdict]:
    """The verdicts on cases that run in this process, bugs and all."""
    return [each.verdict for each in run([Asked("any", case) for case in cases], Serial())]


def fail(*cases: Case) -> bool:
    return any(verdict.word == "fails" for verdict in verdicts(*cases))


def far(case: Case) -> bool:
    """Whether any answer is off by more than four standard errors."""
    return any("standard errors" in verdict.reason for verdict in verdicts(case))


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_the_market_gives_the_known_answer(line: list[str]) -> None:
    family, name, *settings = line
    asked = suite([name], settings)
    assert {each.family for each in asked} == {family.rstrip(":")}
    found = [each.verdict for each in run(asked, Serial())]
    assert [each for each in found if each.word == "fails"] == []
    assert found


@pytest.mark.chain
def test_ledger_and_contracts_agree_on_every_rail() -> None:
    found = [each.verdict for each in run(suite(["parity"]), Serial())]
    assert len(found) == 14
    assert {each.word for each in found} == {"near"}


def test_every_family_has_a_case_that_runs_with_the_other_tests() -> None:
    assert {line[0].rstrip(":") for line in LINES} == set(FAMILIES)


def test_the_record_is_the_same_in_other_processes() -> None:
    with Processes(2) as workers:
        (judged,) = run([Asked("settlement", SameRecord())], workers)
    assert judged.verdict.word == "near"


@pytest.mark.soak
@pytest.mark.timeout(3000)
def test_the_whole_suite_passes() -> None:
    with Processes(2) as workers:
        judged = [each.verdict for each in run(suite(), workers)]
    assert passes(judged), [each for each in judged if each.word != "near"]


# Bugs on purpose -------------------------------------------------------------------------------


def test_a_queue_by_priority_that_forgets_the_priorities_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = Priority(tasks=1500)
    assert not far(case)
    monkeypatch.setattr("sim.models.endpoint.queue_of", lambda *_: deque())
    assert far(case)


def test_a_queue_that_serves_the_last_first_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    class LastFirst(deque[Call]):
        def popleft(self) -> Call:
            return self.pop()

    case = MM1(load=0.5, tasks=4000)
    assert not far(case)
    monkeypatch.setattr("sim.models.endpoint.queue_of", lambda *_: LastFirst())
    assert far(case)


def test_services_that_are_too_long_fail_though_controls_would_explain_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = MM1(load=0.5, tasks=1000)
    assert not any("services" in verdict.reason for verdict in verdicts(case))
    right = latencies.exponential
    monkeypatch.setattr(latencies, "exponential", lambda bits: 1.05 * right(bits))
    assert any("services are +" in verdict.reason for verdict in verdicts(case))


def test_a_second_price_that_is_the_first_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    case = SecondPrice(bidders=3)
    assert not fail(case)
    sell = CapacityAuction._sell
    monkeypatch.setattr(
        CapacityAuction, "_sell", lambda self, call, _: sell(self, call, call.bid_micros)
    )
    assert fail(case)


def test_a_price_rule_of_another_power_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    case = PowerShares(tasks=1500)
    pick = InversePower.pick
    monkeypatch.setattr(
        InversePower,
        "pick",
        lambda self, *rest: pick(self.model_copy(update={"eta": 0.9 * self.eta}), *rest),
    )
    assert fail(case)


def test_a_fee_that_is_rounded_up_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "sim.models.endpoint.share_floor",
        lambda micros, bps: share_floor(micros, bps) + (micros > 0),
    )
    assert fail(Books())


@pytest.mark.parametrize("bug", ["mean", "equal stakes"])
def test_a_median_that_is_none_fails(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Stakes(share=0.45)
    assert not fail(case)
    wrong = {
        "mean": lambda _, values, stakes: agreeing.weighted_means(values, stakes),
        "equal stakes": lambda _, values, stakes: agreeing.weighted_medians(
            values, np.ones_like(stakes)
        ),
    }
    monkeypatch.setattr(Median, "agreed", wrong[bug])
    assert fail(case)


def test_streams_that_agents_share_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the agent's number in the name, all agents of a group post at the same instants."""

    def shared(seed: int, group: str, _: int, purpose: str) -> np.random.Generator:
        return chance.stream(seed, group, purpose)

    for module in (arrivals, demand):
        monkeypatch.setattr(module, "stream", shared)
    assert far(MM1(load=0.5, tasks=1000))


def test_streams_named_by_the_order_of_their_making_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents who are added then shift the others."""
    case = NobodyShifts()
    assert not fail(case)
    numbers: Iterator[int] = count()
    worlds = NobodyShifts.observe

    def restarted(self: NobodyShifts, seed: int) -> object:
        nonlocal numbers
        numbers = count()
        return worlds(self, seed)

    def numbered(seed: int, *_: str | int) -> np.random.Generator:
        return chance.stream(seed, next(numbers))

    for module in (arrivals, demand):
        monkeypatch.setattr(module, "stream", numbered)
    monkeypatch.setattr(NobodyShifts, "observe", restarted)
    assert fail(case)
