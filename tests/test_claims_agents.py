"""What the scenarios about agents claim in their first comments, with intervals over seeds."""

from pathlib import Path

import pytest

from tests.claim_helpers import compared, difference, mean, relative, within

SURPLUS, SUCCESS = "groups.studio.surplus_micros", "success_rate"


def test_a_session_that_stays_with_one_model_costs_a_quarter_less(tmp_path: Path) -> None:
    loose = {"loose": {"groups.studio.session.sticky": False}}
    found = compared(tmp_path, "agentic-sessions", loose, 6, tasks=400)
    # A quarter less than the loose one is a third more than the sticky one.
    assert within(relative(found, "loose", "cost_per_success_micros"), 0.25, 0.5)
    assert within(difference(found, "loose", SUCCESS), -0.03, 0.03)
    assert within(mean(found, "conduct.calls_per_task"), 6.5, 9)


SHARES = {
    "none": 0.001, "90/10": 0.1, "80/20": 0.2, "most": 0.8, "all": 0.999,
}  # fmt: skip


def split(share: float) -> dict[str, object]:
    return {"router.strong_share": share}


@pytest.mark.timeout(600)
def test_the_best_split_is_about_half_and_neither_rule_of_thumb(tmp_path: Path) -> None:
    others = {name: split(share) for name, share in SHARES.items()}
    found = compared(tmp_path, "eighty-twenty", others, 6, router__strong_share=0.55)
    for name in others:
        interval = difference(found, name, SURPLUS)
        assert interval.high is not None
        assert interval.high < 0, name


def test_the_eighty_twenty_rule_keeps_most_of_the_capability_for_a_third_of_the_price(
    tmp_path: Path,
) -> None:
    found = compared(tmp_path, "eighty-twenty", {"all": split(0.999), "90/10": split(0.1)}, 5)
    assert within(mean(found, "models.claude-opus-4.6.share_calls"), 0.18, 0.22)
    # Against all to the frontier: the base's successes are 1 / (1 + difference) of it.
    assert within(relative(found, "all", "tasks.succeeded"), 1 / 0.97 - 1, 1 / 0.93 - 1)
    assert within(relative(found, "all", "spend_micros"), 1 / 0.40 - 1, 1 / 0.28 - 1)
    assert within(relative(found, "90/10", "tasks.succeeded"), -0.02, 0)


def test_where_a_success_is_worth_little_the_best_split_is_none(tmp_path: Path) -> None:
    cheap = {"groups__studio__value_usd": 0.5}
    found = compared(tmp_path, "eighty-twenty", {"none": split(0.001)}, 5, **cheap)
    interval = difference(found, "none", SURPLUS)
    assert interval.low is not None
    assert interval.low > 0


def test_walls_multiply_the_price_of_those_behind_them_and_of_nobody_else(tmp_path: Path) -> None:
    free = {"free": {"groups.bank.requires": None}}
    found = compared(tmp_path, "compliance-walls", free, 4, tasks=3000)
    cost = "cost_per_success_micros"
    assert within(relative(found, "free", f"groups.bank.{cost}"), 1 / 6.5 - 1, 1 / 5.9 - 1)
    assert within(relative(found, "free", f"groups.start-up.{cost}"), 0, 0)
    assert within(difference(found, "free", "groups.bank.success_rate"), 0, 0.06)
    assert within(mean(found, "models.claude-haiku-4.5.share_spend"), 0.8, 0.9)
    assert within(mean(found, "models.claude-haiku-4.5.share_spend", "free"), 0, 0)


def test_above_the_line_a_machine_of_ones_own_saves_a_third_and_below_it_nobody_hosts(
    tmp_path: Path,
) -> None:
    bought: dict[str, object] = {"groups.large.outside": None, "groups.small.outside": None}
    found = compared(tmp_path, "self-host-or-buy", {"bought": bought}, 3, horizon_h=8)
    outlay = "cost_per_success_micros"
    assert within(relative(found, "bought", f"groups.large.{outlay}"), 0.35, 0.65)
    assert within(relative(found, "bought", f"groups.small.{outlay}"), 0, 0)
    assert within(difference(found, "bought", "success_rate"), 0, 0)
    assert within(mean(found, "groups.small.own_answers"), 0, 0)
    price = found.means["bought"]["models.glm-5.charge_micros_mean"].mean / 1e6
    assert 200 < 7 / price < 800  # the break-even in tasks an hour lies between the two studios
