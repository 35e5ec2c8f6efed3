"""What the scenarios about agents claim in their first comments, with intervals over seeds."""

import pytest

from tests.claims import Changes, Replications, above, below, within

SURPLUS, SUCCESS = "groups.studio.surplus_micros", "success_rate"


def test_a_session_that_stays_with_one_model_costs_a_quarter_less() -> None:
    sticky = Replications("agentic-sessions", {"tasks": 400}, reps=6)
    loose = sticky.but({"groups.studio.session.sticky": False})
    # A quarter less than the loose one is a third more than the sticky one.
    assert within(loose.over(sticky, "cost_per_success_micros"), 0.25, 0.5)
    assert within(loose.less(sticky, SUCCESS), -0.03, 0.03)
    assert within(sticky.interval("conduct.calls_per_task"), 6.5, 9)


def split(share: float) -> Changes:
    return {"router.strong_share": share}


@pytest.mark.timeout(600)
def test_the_best_split_is_about_half_and_neither_rule_of_thumb() -> None:
    best = Replications("eighty-twenty", split(0.55), reps=6)
    for share in (0.001, 0.1, 0.2, 0.8, 0.999):
        assert below(best.but(split(share)).less(best, SURPLUS), 0), share


def test_the_eighty_twenty_rule_keeps_most_of_the_capability_for_a_third_of_the_price() -> None:
    rule = Replications("eighty-twenty", reps=5)
    everything, tenth = rule.but(split(0.999)), rule.but(split(0.1))
    assert within(rule.interval("models.claude-opus-4.6.share_calls"), 0.18, 0.22)
    # Against all to the frontier: the rule's successes are 1 / (1 + difference) of it.
    assert within(everything.over(rule, "tasks.succeeded"), 1 / 0.97 - 1, 1 / 0.93 - 1)
    assert within(everything.over(rule, "spend_micros"), 1 / 0.40 - 1, 1 / 0.28 - 1)
    assert within(tenth.over(rule, "tasks.succeeded"), -0.03, 0)


def test_where_a_success_is_worth_little_the_best_split_is_none() -> None:
    rule = Replications("eighty-twenty", {"groups.studio.value_usd": 0.5}, reps=5)
    assert above(rule.but(split(0.001)).less(rule, SURPLUS), 0)


def test_walls_multiply_the_price_of_those_behind_them_and_of_nobody_else() -> None:
    walls = Replications("compliance-walls", {"tasks": 3000})
    free = walls.but({"groups.bank.requires": None})
    cost = "cost_per_success_micros"
    assert within(free.over(walls, f"groups.bank.{cost}"), 1 / 6.5 - 1, 1 / 5.9 - 1)
    assert within(free.over(walls, f"groups.start-up.{cost}"), 0, 0)
    assert within(free.less(walls, "groups.bank.success_rate"), 0, 0.06)
    assert within(walls.interval("models.claude-haiku-4.5.share_spend"), 0.8, 0.9)
    assert within(free.interval("models.claude-haiku-4.5.share_spend"), 0, 0)


def test_above_the_line_a_machine_of_ones_own_saves_a_third_and_below_it_nobody_hosts() -> None:
    free = Replications("self-host-or-buy", {"horizon_h": 8}, reps=3)
    bought = free.but({"groups.large.outside": None, "groups.small.outside": None})
    cost = "cost_per_success_micros"
    assert within(bought.over(free, f"groups.large.{cost}"), 0.35, 0.65)
    assert within(bought.over(free, f"groups.small.{cost}"), 0, 0)
    assert within(bought.less(free, SUCCESS), 0, 0)
    assert within(free.interval("groups.small.own_answers"), 0, 0)
    price = bought.interval("models.glm-5.charge_micros_mean").mean / 1e6
    assert 200 < 7 / price < 800  # the break-even in tasks an hour lies between the two studios
