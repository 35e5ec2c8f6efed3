"""Bad scenarios: every fault at once, in plain words, with its path and the nearest right name."""

import pytest

from sim.scenario import from_mapping
from tests.bad_scenarios import GOOD, fault_of_override, faults_of


def test_the_scenario_that_is_made_bad_here_is_good():
    assert from_mapping(GOOD).tasks == 10


@pytest.mark.parametrize(
    ("override", "path", "found", "allowed", "hint"),
    [
        ("groups.chat={cuont: 3}", "groups.chat.cuont", "an unknown key", "count", "count?"),
        ("models.house={slots: 3}", "models.house.slots", "unknown key", "capacity",
         "capacity.slots?"),
        ("groups.chat.budget_usd=0", "groups.chat.budget_usd", "0", "above 0", ""),
        ("groups.chat.budget_usd=-5", "groups.chat.budget_usd", "-5", "above 0", ""),
        ("models.house.price.usd_per_call=-0.01", "models.house.price.usd_per_call", "-0.01",
         "an amount in dollars from 0", ""),
        ("models.house.price.usd_per_call=0.0000001", "models.house.price.usd_per_call", "1E-7",
         "at most 6 decimals", ""),
        ("models.house.price.kind=per_word", "models.house.price.kind", "'per_word'",
         "per_call | per_token", ""),
        ("router.kind=chepest", "router.kind", "'chepest'", "leaderboard | cheapest", "cheapest?"),
        ("mechanism.kind=postd", "mechanism.kind", "'postd'", "posted", "posted?"),
        ("mechanism={kind: second-price, reserve_usd: 1.5}", "mechanism.reserve_usd", "1.5",
         "at most the greatest max_price_usd, 1", ""),
        ("mechanism={kind: double, reserve_usd: 3}", "mechanism.reserve_usd", "3", "at most", ""),
        ("mechanism={kind: second-price, tick_s: 0}", "mechanism.tick_s", "0", "a number from", ""),
        ("groups.chat.bidding.kind=shaded", "groups.chat.bidding.bidders", "nothing",
         "a whole number from 2", ""),
        ("groups.chat.bidding={kind: budget-paced, spend_usd_per_task: 2}",
         "groups.chat.bidding.spend_usd_per_task", "2", "at most the group's max_price_usd", ""),
        ("groups.chat.bidding.kind=truthfull", "groups.chat.bidding.kind", "'truthfull'",
         "truthful | shaded", "truthful?"),
        ("groups.chat.values={kind: uniform, low: 2, high: 1}", "groups.chat.values",
         "low: 2, high: 1", "high above low", ""),
        ("models.house.selling.kind=undercut", "models.house.selling", "without a cost",
         "a model with a cost", "as cost:"),
        (("models.house={cost: {kind: uniform, high_usd: 2},"
         " selling: {kind: shaded, bidders: 3, highest_usd: 1}}"),
         "models.house.selling.highest_usd", "1", "can cost, 2", ""),
        ("models.house={price: {usd_per_call: 0}, selling: {kind: surge}}", "models.house.price",
         "which surge is to move", "above 0", ""),
        (("models.house={cost: {kind: per_call, usd_per_call: 0}, selling:"
         " {kind: logit-best-response, temperature_usd: 1, conduct: collude}}"),
         "models.house.selling", "conduct", "an outside_usd", ""),
        ("models.house.cost={kind: uniform, low_usd: 2, high_usd: 1}", "models.house.cost",
         "low_usd: 2", "high_usd above low_usd", ""),
        ("rail={settle_on: sucess}", "rail.settle_on", "'sucess'", "success", "success?"),
        ("models.house.quality=null", "models.house.quality", "nothing", "at least one name", ""),
        ("groups.chat.count=2.5", "groups.chat.count", "2.5", "a whole number from 1", ""),
        ("groups.chat.count='2'", "groups.chat.count", "'2'", "a whole number", "without quotes"),
        ("groups.chat.count=true", "groups.chat.count", "true", "a whole number", ""),
        ("groups.chat.deadline_s=true", "groups.chat.deadline_s", "true", "a number above 0", ""),
        ("groups.chat.deadline_s=.inf", "groups.chat.deadline_s", "Infinity", "a number", ""),
        ("chain.call_events=yes", "chain.call_events", "'yes'", "true | false", "YAML 1.2"),
        ("models.house.origin=5", "models.house.origin", "5", "a short name", ""),
        ("models.house.weights=opne", "models.house.weights", "'opne'", "open | closed", "open?"),
        ("models.house.quality.CHAT_COMPLETION=1", "models.house.quality.CHAT_COMPLETION", "1",
         "above 0 and below 1", ""),
        ("models.house.quality={CHAT_COMPLETON: 0.7}", "models.house.quality.CHAT_COMPLETON",
         "an unknown intent", "CHAT_COMPLETION", "CHAT_COMPLETION?"),
        ("models.house.declared_quality={AGENT_TASK: 0.9}",
         "models.house.declared_quality.AGENT_TASK", "AGENT_TASK", "CHAT_COMPLETION", ""),
        ("models.house.outages={windows: [{from_h: 3, to_h: 2}]}",
         "models.house.outages.windows[0]", "{from_h: 3, to_h: 2}", "to_h after from_h", ""),
        ("models.house.outages={windows: [{from_h: 1, to_h: 3}, {from_h: 2, to_h: 4}]}",
         "models.house.outages", "windows", "do not overlap", ""),
        ("groups.chat.requires={weights: open}", "groups.chat.intents.CHAT_COMPLETION",
         "which meets the group's requirements", "an intent that a model serves", ""),
        ("validators={count: 3, stakes: [1, 2]}", "validators", "count: 3, stakes: [1, 2]",
         "one stake per validator: 3", ""),
        ("validators.stakes=[1, 0, 1, 1, 1, 1, 1]", "validators.stakes[1]", "0", "from 1", ""),
        ("router={kind: leaderboard, shares_percent: [70, 40]}", "router.shares_percent",
         "[70, 40]", "at most 100 together", ""),
        ("tasks=null", "horizon_h", "neither", "one of them", ""),
        ("version=2", "version", "2", "1", ""),
        ("seed=-1", "seed", "-1", "from 0", ""),
        ("name=a/b", "name", "'a/b'", "a name of letters", ""),
        ("chain.backend=anvill", "chain.backend", "'anvill'", "the URL of a node", ""),
        ("models.house={extends: catalog/glm-6}", "models.house.extends", "catalog/glm-6",
         "catalog/glm-5", "catalog/glm-5?"),
        ("models.house={extends: house}", "models.house.extends", "house -> house", "end", ""),
        ("groups.chat={extends: 5}", "groups.chat.extends", "5", "a name", ""),
        ("groups=[]", "groups", "[]", "a mapping with at least one name", ""),
        ("groups.chat.arrival=poisson", "groups.chat.arrival", "'poisson'", "kind:", ""),
        ("groups.chat.arrival={per_hour: 3, kind: null}", "groups.chat.arrival.kind", "nothing",
         "poisson | gamma", ""),
        ("groups.chat.arrival.pattern={daily: [1, 2]}", "groups.chat.arrival.pattern.daily",
         "[1, 2]", "a list of 24", ""),
    ],
)  # fmt: skip
def test_a_fault_names_its_path_what_was_found_and_what_is_allowed(
    override, path, found, allowed, hint
):
    (fault,) = faults_of(GOOD, (override,))
    assert fault.path == path
    assert found in fault.found
    assert allowed in fault.allowed
    assert hint in fault.hint


def test_all_faults_come_at_once():
    overrides = (
        "models.house.price.usd_per_call=-1", "groups.chat.budget_usd=0", "router.kind=x",
        "groups.chat.intents={CHAT_COMPLETON: {}}", "nowhere=1", "models.house.extends=catalog/x",
    )  # fmt: skip
    paths = {fault.path for fault in faults_of(GOOD | {"modles": {}}, overrides)}
    assert paths >= {
        "modles", "models.house.price.usd_per_call", "groups.chat.budget_usd",
        "groups.chat.intents.CHAT_COMPLETON", "router.kind", "nowhere", "models.house.extends",
        "groups.chat.intents.CHAT_COMPLETON.input_tokens",
    }  # fmt: skip


def test_a_misspelt_key_is_a_fault_though_it_is_given_no_value():
    event = {"at_h": 1, "set": {"groups.chat.requires": {"origns": None}}}
    overrides = ("models.house.capacity={slot: null}", "groups.chat.arrival={per_hours: null}")
    found = faults_of(GOOD | {"modles": None, "events": [event, {"at": None}]}, overrides)
    hints = {fault.path: fault.hint for fault in found if fault.found == "an unknown key"}
    assert hints == {
        "modles": "did you mean models?",
        "models.house.capacity.slot": "did you mean slots?",
        "groups.chat.arrival.per_hours": "did you mean per_hour?",
        "events[0].set.groups.chat.requires.origns": "did you mean origins?",
        "events[1].at": "did you mean at_h?",
    }


def test_both_an_end_by_time_and_by_tasks_in_one_layer_is_a_fault():
    (fault,) = faults_of(GOOD | {"horizon_h": 1})
    assert (fault.path, fault.found) == ("tasks", "both horizon_h and tasks")


def test_an_intent_that_no_model_serves_names_those_that_are_served():
    fault = fault_of_override(
        "models.gpt-5.2=null", "models.house.quality={AGENT_TASK: 0.5, CHAT_COMPLETION: null}"
    )
    assert fault.path == "groups.chat.intents.CHAT_COMPLETION"
    assert fault.allowed == "one of: AGENT_TASK"


def test_a_huge_number_is_a_fault():
    (fault,) = faults_of(GOOD | {"tasks": 10**5_000})
    assert (fault.path, fault.found) == ("tasks", "a huge number")


def test_a_model_that_no_group_asks_for_is_no_fault():
    scenario = from_mapping(GOOD, ["models.house.quality={STORM_ALERT: 0.5}"])
    assert set(scenario.models) == {"gpt-5.2", "house"}


def test_a_required_origin_that_no_model_has_is_a_fault():
    paths = [fault.path for fault in faults_of(GOOD, ("groups.chat.requires={origins: [CN]}",))]
    assert paths == ["groups.chat.requires.origins", "groups.chat.intents.CHAT_COMPLETION"]


def test_an_origin_both_required_and_excluded_is_a_fault():
    override = "groups.chat.requires={origins: [US], excluded_origins: [US]}"
    assert "both required and excluded" in str(faults_of(GOOD, (override,))[0])


def test_an_intent_listed_twice_is_a_fault():
    override = "intents=[CHAT_COMPLETION, CHAT_COMPLETION]"
    assert any("more than once" in fault.found for fault in faults_of(GOOD, (override,)))


def test_a_model_with_a_fault_of_its_own_does_not_hide_who_serves_an_intent():
    fault = fault_of_override("models.gpt-5.2=null", "models.house.capacity.slots=0")
    assert fault.path == "models.house.capacity.slots"


@pytest.mark.parametrize(
    ("override", "nearest"),
    [
        ("models.gpt-5.3.capacity.slots=8", "models.gpt-5.2.capacity.slots"),
        ("models.hose.verbosity=2", "models.house.verbosity"),
        ("groups.chat.budget=2", "groups.chat.budget_usd"),
        ("roter.kind=random", "router.kind"),
        ("chain.gas_price=3", "chain.gas_price_gwei"),
    ],
)
def test_an_unknown_path_is_a_fault_with_the_nearest(override, nearest):
    fault = fault_of_override(override)
    assert fault.path == override.partition("=")[0]
    assert fault.found == "no such path"
    assert fault.hint == f"did you mean {nearest}?"


@pytest.mark.parametrize("override", ["", "=", "=3", "tasks", "a..b=1", ".tasks=1", "tasks.=1"])
def test_what_is_no_override_is_a_fault(override):
    assert faults_of(GOOD, (override,))


@pytest.mark.parametrize("override", ["tasks={", "tasks=[1, 2", "tasks=&a *a", "tasks='x"])
def test_an_override_that_is_no_yaml_is_a_fault(override):
    assert "--set tasks" in str(faults_of(GOOD, (override,))[0])
