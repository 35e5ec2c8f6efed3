"""Faults of events: every one of every event at once, each with its path, and none of the sound."""

from pathlib import Path

import pytest

import sim
from sim.facts import ScenarioError
from sim.runner import run
from sim.scenario import from_mapping, json_schema, load
from sim.scenario.phases import phases
from tests.bad_scenarios import faults_of
from tests.scenarios_for_tests import demand, model, scenario
from tests.test_events import two

EVENTS: list[dict[str, object]] = [
    {"at_h": 6, "set": {"models.glm-5.price.usd_per_call": 1, "router": {"kind": "cheapestt"}}},
    {"at_h": 30, "kind": "surge", "factor": 3, "for_h": 2},
    {"at_h": 9, "kind": "release", "model": "deer"},
    {"at_h": 9, "kind": "ban", "origin": "CA"},
    {"at_h": 9, "kind": "closure", "owner": "acne", "groups": ["c"]},
    {"at_h": 6, "set": {"seed": 3, "groups.a.count": 4,
                        "models.mean.price": {"kind": "per_token"}}},
    {"at_h": 7, "set": {"groups.a.value_usd": -1, "nonsense": 3, "router.shares_percent": [1]}},
    {"at_h": 7, "set": {"groups.a.intents": {"CODE_GENERATION": demand()}}},
    {"at_h": 8, "set": {"models.dear.quality": {"RESEARCH_SYNTHESIS": 0.4}}},
    {"at_h": 9, "set": {"groups.a.requires.weights": "open"}},
    {"at_h": 9, "kind": "brownout", "model": "dear", "for_h": 1, "slower": 1000},
    {"at_h": 1, "set": {"models.dear.latency.tokens_per_s": 0.001}},
]  # fmt: skip
EXPECTED = {
    ("events[0].set.models.glm-5.price.usd_per_call", "no such path"),
    ("events[0].set.router.kind", "'cheapestt'"),
    ("events[1].at_h", "30"),
    ("events[2].model", "'deer'"),
    ("events[3].origin", "'CA'"),
    ("events[4].owner", "'acne'"),
    ("events[4].groups", "'c'"),
    ("events[5].set.seed", "what a run keeps from start to end"),
    ("events[5].set.groups.a.count", "what a run keeps from start to end"),
    ("events[5].set.models.mean.price.input_usd_per_mtok", "nothing"),
    ("events[5].set.models.mean.price.output_usd_per_mtok", "nothing"),
    ("events[6].set.groups.a.value_usd", "-1"),
    ("events[6].set.nonsense", "no such path"),
    ("events[6].set.router.shares_percent", "no such path"),
    ("events[7].set.groups.a.intents.CODE_GENERATION", "what a run keeps from start to end"),
    ("events[8].set.models.dear.quality", "other intents"),
    (
        "events[9].set.groups.a.intents.CHAT_COMPLETION",
        "an intent that no model serves which meets the group's requirements",
    ),
    ("events[10]", "models.dear.latency.tokens_per_s: 0.000001"),
}


def with_events(*events: dict[str, object], **changes: object) -> dict[str, object]:
    document = two().model_dump(mode="json", exclude_none=True)
    return document | {"events": list(events)} | changes


def test_every_fault_of_every_event_is_found_at_once() -> None:
    faults = faults_of(with_events(*EVENTS))
    assert {(fault.path, fault.found) for fault in faults} == EXPECTED
    hints = {fault.path: fault.hint for fault in faults if fault.hint}
    assert hints["events[2].model"] == "did you mean dear?"
    assert hints["events[0].set.router.kind"] == "did you mean cheapest?"


def test_faults_of_the_schema_and_of_the_settings_of_events_come_together() -> None:
    odd: list[dict[str, object]] = [
        {"at_h": -1, "kind": "release", "model": "dear"},
        {"at_h": 3, "kind": "flood"},
        {"at_h": 3, "kind": "outage", "model": "dear"},
        {"at_h": 3},
        {"at_h": 3, "set": {}},
    ]
    paths = {fault.path for fault in faults_of(with_events(*odd, *EVENTS[:3]))}
    assert paths == {
        "events[0].at_h", "events[1].kind", "events[2].for_h", "events[3].kind", "events[4].set",
        "events[5].set.models.glm-5.price.usd_per_call", "events[5].set.router.kind",
        "events[6].at_h", "events[7].model",
    }  # fmt: skip


def test_names_in_events_are_checked_though_the_rest_has_faults() -> None:
    faults = faults_of(with_events(EVENTS[2], EVENTS[4], seed=-1))
    assert {fault.path for fault in faults} == {
        "seed", "events[0].model", "events[1].owner", "events[1].groups",
    }  # fmt: skip


def test_two_events_may_not_set_the_same_thing_differently_at_the_same_time() -> None:
    one, same, other = (
        {"at_h": 1, "set": {"models.dear.capacity.slots": slots}} for slots in (5, 5, 6)
    )
    (fault,) = faults_of(with_events(one, same, other))
    assert (fault.path, fault.found) == ("events[2].set.models.dear.capacity.slots", "6")
    assert "5, as events[0] sets it" in fault.allowed


def test_a_fault_of_an_event_names_the_line_it_stands_on(tmp_path: Path) -> None:
    text = """\
extends: presets/agents-2026
version: 1
horizon_h: 3
models: {glm-5: {extends: catalog/glm-5}}
events:
  - {at_h: 1, kind: price, model: glm-5, factor: 0.5}
  - {at_h: 2, set: {models.glm-6.listed: false}}
"""
    file = tmp_path / "one.yaml"
    file.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load(file)
    (fault,) = caught.value.faults
    assert fault.place == "one.yaml, line 7"
    assert fault.hint == "did you mean models.glm-5.listed?"


@pytest.mark.parametrize(
    "event", [{"kind": "fee", "fee_bps": 300}, {"set": {"rail.fee_bps": 300}}], ids=["fee", "set"]
)
def test_the_fee_of_a_run_on_a_chain_cannot_change(
    event: dict[str, object], tmp_path: Path
) -> None:
    (fault,) = faults_of(with_events({"at_h": 1, **event}, chain={"backend": "anvil"}))
    assert "another fee on a chain" in fault.found
    what = two({"at_h": 1, **event})
    with pytest.raises(ScenarioError, match="one fee on a chain"):
        run(what, chain="anvil", out=tmp_path / "run")


def test_a_run_without_a_chain_may_change_its_fee_though_its_file_names_a_chain(
    tmp_path: Path,
) -> None:
    text = """\
extends: presets/agents-2026
version: 1
horizon_h: 0.1
models: {glm-5: {extends: catalog/glm-5}}
chain: {backend: anvil}
events: [{at_h: 0.05, kind: fee, fee_bps: 300}]
"""
    file = tmp_path / "one.yaml"
    file.write_text(text)
    with pytest.raises(ScenarioError, match="another fee on a chain"):
        sim.run(file, out=tmp_path / "refused")
    ended = sim.run(file, out=tmp_path / "run", chain="none")
    late = ended.calls.filter(ended.calls["finished_us"] >= 180_000_000)
    assert len(late)
    assert late["fee_micros"].to_list() == [c * 300 // 10_000 for c in late["charge_micros"]]


def test_a_router_of_an_event_may_only_name_models_that_there_are() -> None:
    event = {"at_h": 1, "set": {"router": {"kind": "single", "model": "deer"}}}
    with pytest.raises(ScenarioError, match="deer"):
        run(from_mapping(with_events(event)), chain="none")


def test_an_event_that_says_what_to_set_needs_no_kind() -> None:
    plain = scenario({"m": model()}, events=[{"at_h": 1, "set": {"models.m.listed": False}}])
    named = scenario(
        {"m": model()}, events=[{"at_h": 1, "kind": "set", "set": {"models.m.listed": "false"}}]
    )
    assert plain == named


def test_an_event_may_take_a_setting_away() -> None:
    limited = model(capacity={"slots": 9, "queue": 9, "calls_per_minute": 5})
    event = {"at_h": 1, "set": {"models.m.capacity": {"calls_per_minute": None, "slots": 8}}}
    what = scenario({"m": limited}, events=[event])
    before, after = (phase.scenario.models["m"].capacity for phase in phases(what))
    assert (before.calls_per_minute, after.calls_per_minute) == (5, None)
    assert (before.slots, after.slots, after.queue) == (9, 8, 9)


def test_the_editor_schema_knows_events() -> None:
    properties = json_schema()["properties"]
    assert isinstance(properties, dict)
    assert "events" in properties
