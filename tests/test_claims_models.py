"""What the scenarios about models claim in their first comments, with intervals over seeds."""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.claim_helpers import compared, difference, relative, within
from tests.claims import Replications, above, below

SUCCESS = "success_rate"


def test_an_outage_costs_its_owner_and_hardly_anybody_else(tmp_path: Path) -> None:
    calm: dict[str, object] = {"events": []}
    alone: dict[str, object] = {"models.second.listed": False, "models.third.listed": False}
    browned: dict[str, object] = {
        "events": [
            {"kind": "brownout", "at_h": 10, "for_h": 2, "model": "prime", "slower": 6}
        ]
    }  # fmt: skip
    others = {"calm": calm, "browned": browned}
    found = compared(tmp_path, "outage-and-failover", others, 4)
    # Differences are from the scenario as it is: the others less the outage with failover.
    lost = difference(found, "calm", SUCCESS)
    assert within(lost, 0, 0.02)
    revenue = relative(found, "calm", "models.prime.revenue_micros")
    assert within(revenue, 1 / 0.95 - 1, 1 / 0.87 - 1)
    stranded = Replications("outage-and-failover", alone)
    untroubled = Replications("outage-and-failover", alone | calm)
    assert within(stranded.less(untroubled, SUCCESS), -0.09, -0.06)
    assert below(difference(found, "browned", SUCCESS), 0)
    assert above(difference(found, "browned", "tasks.expired"), 50)


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
