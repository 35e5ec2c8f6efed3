"""The life of a call, case by case: what is recorded of it, and where its money goes."""

from collections.abc import Mapping

import pytest

from sim.facts import Task
from sim.scenario import Scenario
from tests.scenarios_for_tests import (
    CHAT,
    WRONG,
    draw_for,
    entries,
    fates,
    group,
    life,
    model,
    play,
    record,
    scenario,
    task,
    token_model,
)

HALF = token_model(quality={CHAT: 0.5})
EVEN: Mapping[str, int] = {"difficulty": 0}


def narrow(queue: int, **changes: object) -> Scenario:
    """One model with one slot, and two agents."""
    return scenario(
        {"m": model(capacity={"slots": 1, "queue": queue})}, {"a": group(count=2)}, **changes
    )


def test_a_right_answer_is_charged_and_the_rest_of_the_hold_refunded() -> None:
    frames = record(play(scenario({"m": token_model()}), [task(1)]))
    assert life(frames) == ["0.0 m 1 1 2 settled none"]
    assert fates(frames) == ["0 1 succeeded none 2"]
    assert entries(frames) == [
        "1 hold agent:a/0 escrow 1400",
        "2 release escrow model:m 1200",
        "2 fee model:m treasury 24",
        "2 refund escrow agent:a/0 200",
    ]


def test_a_wrong_answer_is_charged_at_its_own_length() -> None:
    frames = record(play(scenario({"m": token_model()}), [task(1, difficulty=WRONG)]))
    assert life(frames) == ["0.0 m 1 1 2 settled wrong"]
    assert fates(frames) == ["0 1 failed wrong 2"]
    assert entries(frames) == [
        "1 hold agent:a/0 escrow 1400",
        "2 release escrow model:m 1400",
        "2 fee model:m treasury 28",
    ]
    assert frames.calls["output_tokens"].to_list() == [200]


def test_cached_tokens_are_charged_at_their_own_price() -> None:
    cached = scenario({"m": token_model(cache_hit_share=0.5)})
    frames = record(play(cached, [task(1)]))
    assert frames.calls["cached_tokens"].to_list() == [500]
    assert frames.calls["quote_micros"].to_list() == [1400]
    assert frames.calls["charge_micros"].to_list() == [500 + 50 + 200]


def test_a_wrong_answer_is_followed_by_another_attempt_at_once() -> None:
    retried = scenario({"m": HALF}, {"a": group(retries=1)})
    frames = record(play(retried, [task(1, draw=draw_for("m", False, True), **EVEN)]))
    assert life(frames) == ["0.0 m 1 1 2 settled wrong", "0.1 m 2 2 3 settled none"]
    assert fates(frames) == ["0 2 succeeded none 3"]
    assert frames.calls["charge_micros"].to_list() == [1400, 1200]


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_a_task_fails_after_all_its_retries(retries: int) -> None:
    stubborn = scenario(groups={"a": group(retries=retries)})
    frames = record(play(stubborn, [task(1, difficulty=WRONG)]))
    assert fates(frames) == [f"0 {retries + 1} failed wrong {2 + retries}"]
    assert frames.calls["attempt"].to_list() == list(range(retries + 1))


def test_an_answer_at_the_deadline_is_in_time_and_one_after_it_late_but_paid() -> None:
    frames = record(play(scenario(), [task(1, deadline_s=1), task(3, deadline_s=0.999999)]))
    assert life(frames) == ["0.0 m 1 1 2 settled none", "1.0 m 3 3 4 settled late"]
    assert fates(frames) == ["0 1 succeeded none 2", "1 1 expired late 4"]
    assert frames.calls["success"].to_list() == [True, False]
    assert frames.calls["charge_micros"].to_list() == [10_000, 10_000]


def test_a_late_answer_is_judged_but_not_tried_again() -> None:
    eager = scenario(groups={"a": group(retries=3)})
    frames = record(play(eager, [task(1, deadline_s=0.5)]))
    assert fates(frames) == ["0 1 expired late 2"]
    assert frames.calls["score_ppm"].to_list() == [1_000_000]


def test_a_wrong_answer_at_the_deadline_is_not_tried_again() -> None:
    eager = scenario(groups={"a": group(retries=3)})
    wrong = {"difficulty": WRONG}
    frames = record(play(eager, [task(1, 1, **wrong), task(5, 1.000001, **wrong)]))
    assert fates(frames) == ["0 1 expired wrong 2", "1 2 expired late 7"]


def test_a_call_that_waits_past_its_deadline_is_refunded_whole() -> None:
    frames = record(play(narrow(1), [task(1)], [task(1.2, deadline_s=0.5)]))
    assert life(frames) == ["0.0 m 1 1 2 settled none", "1.0 m 1.2 1.7 1.7 refunded deadline"]
    assert fates(frames) == ["0 1 succeeded none 2", "1 1 expired deadline 1.7"]
    assert entries(frames)[-2:] == [
        "1.2 hold agent:a/1 escrow 10000",
        "1.7 refund escrow agent:a/1 10000",
    ]


def test_a_call_served_before_its_deadline_is_not_given_up() -> None:
    frames = record(play(narrow(1), [task(1)], [task(1.2, deadline_s=1)]))
    assert fates(frames)[1] == "1 1 expired late 3"


def test_a_call_that_gave_up_leaves_its_place_in_the_queue() -> None:
    frames = record(play(narrow(1), [task(1), task(1.8)], [task(1.2, deadline_s=0.5), task(1.6)]))
    assert fates(frames) == [
        "0 1 succeeded none 2",
        "1 1 expired deadline 1.7",
        "2 0 rejected no_capacity 1.6",
        "3 1 succeeded none 3",
    ]


def test_waiting_calls_are_served_first_come_first_served() -> None:
    arrivals = [task(1), task(1.2), task(1.4)]
    frames = record(play(narrow(9), arrivals, [task(1.1), task(1.3), task(1.5)]))
    assert frames.calls["posted_us"].is_sorted()
    assert frames.calls["started_us"].to_list() == [n * 10**6 for n in range(1, 7)]


def test_a_full_queue_takes_nobody_until_a_place_is_free() -> None:
    mine = [task(1), task(1.1), task(1.2), task(2.5)]
    frames = record(play(narrow(1), mine, []))
    assert fates(frames) == [
        "0 1 succeeded none 2",
        "1 1 succeeded none 3",
        "2 0 rejected no_capacity 1.2",
        "3 1 succeeded none 4",
    ]


def test_as_many_calls_are_served_at_once_as_there_are_slots() -> None:
    two = scenario({"m": model(capacity={"slots": 2, "queue": 5})})
    frames = record(play(two, [task(1), task(1), task(1), task(1)]))
    assert frames.calls["started_us"].to_list() == [10**6, 10**6, 2 * 10**6, 2 * 10**6]


def test_a_retry_goes_behind_those_who_wait() -> None:
    retried = narrow(5).groups["a"].model_copy(update={"retries": 1})
    patient = narrow(5).model_copy(update={"groups": {"a": retried}})
    frames = record(play(patient, [task(1, difficulty=WRONG)], [task(1.5)]))
    assert life(frames) == [
        "0.0 m 1 1 2 settled wrong",
        "1.0 m 1.5 2 3 settled none",
        "0.1 m 2 3 4 settled wrong",
    ]


def refused(what: Scenario, mine: Task) -> list[str]:
    return fates(record(play(what, [mine])))


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (scenario(groups={"a": group(max_price_usd="0.009999")}), "max_price"),
        (scenario(groups={"a": group(budget_usd="0.009999")}), "no_budget"),
        (scenario({"m": model(context_tokens=1099)}), "no_model"),
    ],
)
def test_a_refused_task_is_rejected_with_its_reason(what: Scenario, reason: str) -> None:
    limit = round(what.groups["a"].max_price_usd * 10**6)
    frames = record(play(what, [task(1, limit_micros=limit)]))
    assert fates(frames) == [f"0 0 rejected {reason} 1"]
    assert life(frames) == entries(frames) == []


@pytest.mark.parametrize(
    "what",
    [
        scenario(groups={"a": group(budget_usd="0.01")}),
        scenario({"m": model(context_tokens=1100)}),
    ],
)
def test_a_task_that_just_fits_is_served(what: Scenario) -> None:
    assert refused(what, task(1, limit_micros=10_000)) == ["0 1 succeeded none 2"]


def test_a_task_whose_intent_nobody_serves_for_its_group_is_rejected() -> None:
    models = {"m": model(origin="EU"), "other": model(quality={"AGENT_TASK": 0.5}, origin="US")}
    what = scenario(models, {"a": group(requires={"origins": ["EU"]})})
    other = what.intents.index("AGENT_TASK")
    assert refused(what, task(1, intent=other)) == ["0 0 rejected no_model 1"]


def test_money_held_by_a_call_under_way_cannot_be_spent_again() -> None:
    poor = scenario({"m": token_model()}, {"a": group(budget_usd="0.0026")})
    frames = record(play(poor, [task(1), task(1.5), task(2)]))
    assert fates(frames) == [
        "0 1 succeeded none 2",
        "1 0 rejected no_budget 1.5",
        "2 1 succeeded none 3",
    ]


def test_a_retry_that_finds_no_money_fails_its_task() -> None:
    poor = scenario(groups={"a": group(budget_usd="0.019", retries=5)})
    frames = record(play(poor, [task(1, difficulty=WRONG)]))
    assert fates(frames) == ["0 1 failed no_budget 2"]


def down(from_s: float, to_s: float, **changes: object) -> dict[str, object]:
    """A model that is down for a while."""
    window = {"from_h": from_s / 3600, "to_h": to_s / 3600}
    return model(outages={"windows": [window]}, **changes)


def test_an_outage_refunds_served_and_waiting_calls_alike() -> None:
    what = scenario({"m": down(1.5, 4, capacity={"slots": 1, "queue": 1})})
    frames = record(play(what, [task(1), task(1.2), task(3), task(4.5)]))
    assert life(frames) == [
        "0.0 m 1 1 1.5 refunded outage",
        "1.0 m 1.2 1.5 1.5 refunded outage",
        "3.0 m 4.5 4.5 5.5 settled none",
    ]
    assert fates(frames) == [
        "0 1 failed outage 1.5",
        "1 1 failed outage 1.5",
        "2 0 rejected no_capacity 3",
        "3 1 succeeded none 5.5",
    ]
    assert entries(frames)[:4] == [
        "1 hold agent:a/0 escrow 10000",
        "1.5 refund escrow agent:a/0 10000",
        "1.2 hold agent:a/0 escrow 10000",
        "1.5 refund escrow agent:a/0 10000",
    ]


def test_an_outage_leaves_no_answer_behind() -> None:
    frames = record(play(scenario({"m": down(1.5, 4)}), [task(1)]))
    call = frames.calls.row(0, named=True)
    assert call["answer_hash"] == bytes(32)
    assert call["output_tokens"] == call["cached_tokens"] == call["score_ppm"] == 0


def test_a_call_lost_to_an_outage_is_tried_elsewhere() -> None:
    models = {"m": down(1.5, 4), "n": model("0.02")}
    what = scenario(models, {"a": group(retries=1)}, router={"kind": "cheapest"})
    frames = record(play(what, [task(1)]))
    assert life(frames) == ["0.0 m 1 1 1.5 refunded outage", "0.1 n 1.5 1.5 2.5 settled none"]


def test_a_model_has_all_its_places_again_after_an_outage() -> None:
    what = scenario({"m": down(1.5, 2, capacity={"slots": 1, "queue": 1})})
    mine = [task(1), task(1.1), task(2.5), task(2.6), task(2.7)]
    frames = record(play(what, mine))
    assert [fate.split()[2] for fate in fates(frames)] == [
        "failed", "failed", "succeeded", "succeeded", "rejected",
    ]  # fmt: skip


def test_only_right_answers_in_time_are_paid_when_settled_on_success() -> None:
    strict = scenario({"m": token_model()}, rail={"kind": "batch", "settle_on": "success"})
    wrong, late = task(2, difficulty=WRONG), task(3, deadline_s=0.5)
    frames = record(play(strict, [task(1), wrong, late]))
    assert [row.split(" ", 5)[5] for row in life(frames)] == [
        "settled none", "refunded wrong", "refunded late",
    ]  # fmt: skip
    assert entries(frames)[4:] == [
        "2 hold agent:a/0 escrow 1400",
        "3 refund escrow agent:a/0 1400",
        "3 hold agent:a/0 escrow 1400",
        "4 refund escrow agent:a/0 1400",
    ]
    assert frames.calls["answer_hash"].n_unique() == 3


@pytest.mark.parametrize(("fee_bps", "fee"), [(0, 0), (3, 2), (10_000, 9_999)])
def test_the_fee_is_a_share_of_the_charge_rounded_down(fee_bps: int, fee: int) -> None:
    what = scenario({"m": model("0.009999")}, rail={"kind": "batch", "fee_bps": fee_bps})
    assert record(play(what, [task(1)])).calls["fee_micros"].to_list() == [fee]


def test_an_answer_moves_the_score_by_which_the_next_task_is_routed() -> None:
    models = {
        "m": model(quality={CHAT: 0.5}, declared_quality={CHAT: 0.6}),
        "n": model(quality={CHAT: 0.5}, declared_quality={CHAT: 0.5}),
    }
    best = {"kind": "leaderboard", "shares_percent": [100]}
    what = scenario(models, router=best, validators={"noise": 0, "score": {"verdicts": 4}})
    frames = record(play(what, [task(1, difficulty=WRONG), task(3), task(5)]))
    assert frames.calls["model"].to_list() == ["m", "n", "n"]
