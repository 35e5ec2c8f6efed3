"""What the scenarios about models claim in their first comments, with intervals over seeds."""

from itertools import pairwise

import pytest

from tests.claims import Changes, Replications, above, below, within

SUCCESS = "success_rate"


CALM: Changes = {"events": []}
BROWNED: Changes = {
    "events": [{"kind": "brownout", "at_h": 10, "for_h": 2, "model": "prime", "slower": 6}]
}


def test_an_outage_costs_its_owner_and_hardly_anybody_else() -> None:
    outage = Replications("outage-and-failover")
    calm = outage.but(CALM)
    assert within(calm.less(outage, SUCCESS), 0, 0.02)
    assert within(calm.over(outage, "models.prime.revenue_micros"), 1 / 0.95 - 1, 1 / 0.87 - 1)


def test_an_outage_without_a_model_to_fail_over_to_costs_all_of_its_tasks() -> None:
    alone = {"models.second.listed": False, "models.third.listed": False}
    stranded = Replications("outage-and-failover", alone)
    assert within(stranded.less(stranded.but(CALM), SUCCESS), -0.09, -0.06)


def test_a_brownout_costs_agents_more_than_an_outage() -> None:
    outage = Replications("outage-and-failover")
    browned = outage.but(BROWNED)
    assert below(browned.less(outage, SUCCESS), 0)
    assert above(browned.less(outage, "tasks.expired"), 50)


def test_a_board_of_tokens_ranks_the_models_the_wrong_way_round() -> None:
    found = Replications("goodhart", reps=5)

    def share(model: str, of: str) -> str:
        return f"models.{model}.share_{of}"

    assert above(found.interval(share("rambler", "tokens")), 0.60)
    assert below(found.interval(share("frontier", "tokens")), 0.20)
    assert above(found.interval(share("frontier", "spend")), 0.50)
    assert above(found.between(share("frontier", "success"), share("bargain", "success")), 0.03)
    assert above(found.between(share("bargain", "success"), share("rambler", "success")), 0.03)
    for model in ("bargain", "frontier"):
        assert above(found.between(share("rambler", "tokens"), share(model, "tokens")), 0.3)
    for model in ("rambler", "frontier"):
        assert below(found.between(share("bargain", "spend"), share(model, "spend")), -0.02)


@pytest.mark.timeout(600)
def test_agents_growth_explains_the_fitted_weeks_and_april_but_not_the_pause_of_march() -> None:
    found = Replications("overtake-2026", reps=4)
    errors = {week: found.interval(f"reported.week-{week}.error") for week in (2, 3, 6, 9)}
    for fitted in (2, 3):
        assert within(errors[fitted], -0.05, 0.05)
    assert within(errors[6], 0.15, 0.22)
    assert within(errors[9], -0.01, 0.05)
    ranked = ("minimax-m2.5", "deepseek-v3.2", "kimi-k2.5")
    for first, second in pairwise(ranked):
        ahead = found.between(f"models.{first}.share_tokens", f"models.{second}.share_tokens")
        assert above(ahead, 0)
