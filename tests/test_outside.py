"""Outside the market: agents that host a model themselves, that leave, and that come back."""

import polars as pl
import pytest

from sim.metrics import figures
from sim.scenario import Scenario, from_mapping
from sim.units import US_PER_S, ratio_nearest
from tests.scenarios_for_tests import CHAT, group, model, scenario
from tests.test_conduct import FAST, alone, two
from tests.workflow_helpers import lawful, studio


def hosted(per_hour: float, usd_per_hour: str, **changes: object) -> Scenario:
    own = {"model": "cheap", "usd_per_hour": usd_per_hour, "slots": 4, "review_h": 2, **changes}
    groups = {"a": group(per_hour, outside={"self_host": own})}
    return scenario(two(latency=FAST), groups, router={"kind": "cheapest"}, horizon_h=10)


def test_an_agent_hosts_once_the_market_costs_it_more() -> None:
    """Sixty answers an hour at a cent are 60 cents: more than 50 an hour, less than 70."""
    for usd, hosts in (("0.50", True), ("0.70", False)):
        frames = lawful(hosted(60, usd))
        assert (len(frames.own_answers) > 400) == hosts
        told = figures(frames)
        assert (told.conduct.self_host_micros > 0) == hosts
        paid = told.spend_micros + told.conduct.self_host_micros
        assert told.cost_per_success_micros == ratio_nearest(paid, told.tasks.succeeded)
        assert told.groups["a"].cost_per_success_micros == told.cost_per_success_micros


def test_hosting_is_paid_by_the_hour_and_not_through_the_market() -> None:
    frames = lawful(hosted(600, "0.50"))
    (row,) = frames.decisions.rows(named=True)
    assert (row["decision"], row["model"]) == ("self_host", "cheap")
    hours = (frames.duration_us - row["time_us"]) / 3.6e9
    told = figures(frames)
    assert told.groups["a"].self_host_micros == round(hours * 500_000)
    after = frames.calls.filter(pl.col("posted_us") > row["time_us"])
    assert after.is_empty()
    assert told.groups["a"].spend_micros == frames.calls["charge_micros"].sum()


@pytest.mark.parametrize(
    "event",
    [
        {"at_h": 4, "kind": "brownout", "model": "cheap", "for_h": 5, "slower": 50},
        {"at_h": 4, "kind": "outage", "model": "cheap", "for_h": 5},
        {"at_h": 4, "set": {f"models.cheap.quality.{CHAT}": 0.999}},
        {"at_h": 4, "kind": "deprecation", "model": "cheap"},
    ],
    ids=lambda event: str(event.get("kind", "new weights")),
)
def test_what_an_agent_hosts_goes_on_as_it_is_whatever_becomes_of_the_model(event: object) -> None:
    plain = hosted(600, "0.50", slots=60)
    told = plain.model_dump(mode="json", exclude_none=True) | {"events": [event]}
    frames = [lawful(what).own_answers for what in (plain, from_mapping(told))]
    assert frames[0].height > 3000
    assert frames[0].equals(frames[1])


def test_who_begins_to_host_in_a_brownout_has_a_machine_of_the_usual_speed() -> None:
    slow = {"at_h": 1, "kind": "brownout", "model": "cheap", "for_h": 8, "slower": 50}
    told = hosted(600, "0.50", slots=60).model_dump(mode="json", exclude_none=True)
    own = lawful(from_mapping(told | {"events": [slow]})).own_answers
    assert own.height > 3000
    assert (own["finished_us"] - own["started_us"]).max() == US_PER_S


def test_what_the_own_machines_cannot_take_goes_to_the_market() -> None:
    frames = lawful(hosted(7_200, "1", slots=1))
    starts = frames.decisions["time_us"][0]
    own = frames.own_answers.sort("started_us")
    assert (own["started_us"][1:] >= own["finished_us"][:-1]).all()
    spilt = frames.calls.filter(pl.col("posted_us") > starts).height / len(own)
    assert spilt == pytest.approx(2, rel=0.1)  # Erlang's loss formula for two erlangs, one slot


@pytest.mark.parametrize("by", ["an event", "its seller"])
def test_hosting_ends_when_the_markets_price_has_fallen(by: str) -> None:
    """Sixty answers an hour at a cent are 60 cents, more than 50; at a tenth of it, they are not.

    The model's seller undercuts a rival that comes with the price of a tenth of a cent.
    """
    own = {"model": "cheap", "usd_per_hour": "0.50", "slots": 4, "review_h": 2}
    asking = {"groups": {"a": group(60, outside={"self_host": own})}}
    if by == "an event":
        models = two(latency=FAST)
        change = {"at_h": 5, "set": {"models.cheap.price.usd_per_call": "0.001"}}
    else:
        selling = {"kind": "undercut", "by": 0.01, "period_h": 0.5}
        cost = {"kind": "per_call", "usd_per_call": "0.0001"}
        models = two(latency=FAST, selling=selling, cost=cost)
        models["rival"] = model("0.001", quality={CHAT: 0.1}, listed=False, weights="closed")
        models["dear"] = model("0.01", quality={CHAT: 0.1}, weights="closed")
        change = {"at_h": 5, "kind": "release", "model": "rival"}
    what = scenario(models, router={"kind": "single", "model": "cheap"}, horizon_h=12,
                    events=[change], **asking)  # fmt: skip
    made = [(row["decision"], row["time_us"] / 3.6e9 > 5)
            for row in lawful(what).decisions.iter_rows(named=True)]  # fmt: skip
    assert made == [("self_host", False), ("stop_hosting", True)]


def test_hosting_ends_when_it_no_longer_pays() -> None:
    pattern = {"daily": [4] * 6 + [0.01] * 18}
    arrival = {"kind": "poisson", "per_hour": 60, "pattern": pattern}
    own = {"model": "cheap", "usd_per_hour": "0.50", "review_h": 2}
    what = scenario(two(), {"a": group(1, arrival=arrival, outside={"self_host": own})},
                    router={"kind": "cheapest"})  # fmt: skip
    assert lawful(what).decisions["decision"].to_list() == ["self_host", "stop_hosting"]


def test_who_is_disappointed_leaves_posts_nothing_and_comes_back() -> None:
    bad = {"m": model("0.01", quality={CHAT: 0.05})}
    leave = {"success_below": 0.5, "over_tasks": 10, "away_h": 3}
    frames = lawful(scenario(bad, {"a": group(60, outside={"leave": leave})}))
    ends = frames.decisions.rows(named=True)
    assert [row["decision"] for row in ends[:2]] == ["leave", "return"]
    left, back = (row["time_us"] for row in ends[:2])
    assert back - left == 3 * 3600 * 10**6
    assert frames.tasks.filter(pl.col("posted_us").is_between(left + 1, back - 1)).is_empty()
    assert frames.tasks.filter(pl.col("posted_us") < left).height == 10
    told = figures(frames).conduct
    assert told.departures == frames.decisions.filter(pl.col("decision") == "leave").height
    assert 0 <= told.departures - told.returns <= 1


def test_who_spends_too_much_cannot_blame_the_market() -> None:
    leave = {"success_below": 0.05, "over_tasks": 9}
    what = alone(budget_usd="0.05", outside={"leave": leave})
    assert lawful(what).decisions.is_empty()


def test_whose_own_tools_take_too_long_cannot_blame_the_market() -> None:
    flow = {"plan": {}, "test": {"after": ["plan"], "tool_wait_s": {"median_s": 700}}}
    leave = {"success_below": 0.5, "over_tasks": 9}
    good = {"m": model(quality={CHAT: 0.999})}
    frames = lawful(studio(flow, good, outside={"leave": leave}))
    assert set(frames.tasks["reason"].cast(pl.String)) >= {"tools"}
    assert frames.decisions.is_empty()


def test_a_task_says_what_its_answers_come_to() -> None:
    frames = lawful(hosted(7_200, "1", slots=1))
    calls, tasks = frames.calls, frames.tasks
    tokens = (calls["input_tokens"] + calls["output_tokens"]).sum()
    assert tasks["tokens"].sum() == tokens
    assert tasks["charge_micros"].sum() == calls["charge_micros"].sum()
    assert tasks["own_answers"].sum() == len(frames.own_answers)
    row = calls.row(-1, named=True)
    (mine,) = tasks.filter(pl.col("task_id") == row["task_id"]).rows(named=True)
    assert (mine["charge_micros"], mine["own_answers"]) == (row["charge_micros"], 0)
