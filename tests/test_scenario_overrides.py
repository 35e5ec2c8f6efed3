"""Overrides: paths with dots in names, kinds, lists, nulls and new entries."""

from pathlib import Path

import pytest

from sim.facts import ScenarioError
from sim.scenario import load
from tests.scenario_files import BASIC, Writer, shares, writer


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    return writer(tmp_path)


@pytest.fixture
def basic(write: Writer) -> Path:
    return write(BASIC)


@pytest.mark.parametrize(
    "override",
    [
        "models.gpt-5.2.capacity.slots=3",
        'models."gpt-5.2".capacity.slots=3',
        "models.'gpt-5.2'.capacity={slots: 3}",
        "models.gpt-5.2={capacity: {slots: 3}}",
    ],
)
def test_an_override_reaches_an_id_with_dots(basic, override):
    scenario = load(basic, [override])
    assert scenario.models["gpt-5.2"].capacity.slots == 3
    assert scenario.models["gpt-5.2"].capacity.queue == 1000


def test_the_longest_id_is_meant_where_one_begins_like_another(write):
    text = BASIC.replace("  gpt-5.2:", "  gpt-5: {extends: catalog/gpt-5.4}\n  gpt-5.2:")
    scenario = load(write(text), ["models.gpt-5.2.capacity.slots=3"])
    assert scenario.models["gpt-5.2"].capacity.slots == 3
    assert scenario.models["gpt-5"].capacity.slots != 3


def test_an_override_reaches_into_a_list(basic):
    scenario = load(basic, ["router.shares_percent[1]=30", "router.shares_percent.0=70"])
    assert shares(scenario) == (70, 30)


def test_an_override_may_give_a_key_that_no_file_gives(basic):
    assert load(basic, ["chain.gas_price_gwei=0.5"]).chain.gas_price_gwei == 0.5


def test_an_override_may_add_a_model_or_a_quality(basic):
    added = "models.gpt-5.4={extends: catalog/gpt-5.4}"
    scenario = load(basic, [added, "models.house-model.quality.AGENT_TASK=0.5"])
    assert "gpt-5.4" in scenario.models
    assert scenario.models["house-model"].quality["AGENT_TASK"] == 0.5


def test_an_override_of_a_kind_counts_before_its_parameters(basic):
    scenario = load(basic, ["router.floor=0.7", "router.kind=quality-floor"])
    assert scenario.router.model_dump() == {"kind": "quality-floor", "floor": 0.7}


@pytest.mark.parametrize(
    ("override", "path"),
    [
        ("groups={}", "groups"),
        ("groups.coders={}", "groups.coders"),
        ("models.glm-5={capacity: {}}", "models.glm-5.capacity"),
        ("models={gpt-5.2: {capacity: {}}}", "models.gpt-5.2.capacity"),
    ],
)
def test_an_override_that_would_change_nothing_is_a_fault(basic, override, path):
    with pytest.raises(ScenarioError) as caught:
        load(basic, [override])
    (fault,) = caught.value.faults
    assert (fault.path, fault.place) == (path, "--set")
    assert fault.found == "an empty mapping, which changes nothing"


def test_an_empty_mapping_where_there_is_none_has_every_key_by_default(basic):
    empty, named = load(basic, ["mechanism={}"]), load(basic, ["mechanism={kind: posted}"])
    assert empty.mechanism == named.mechanism


def test_every_tag_in_an_override_is_a_fault_at_its_path(basic):
    given = ["seed=!!python/name:os.system", "models.glm-5.capacity={slots: !!int 2, queue: !x 1}"]
    with pytest.raises(ScenarioError) as caught:
        load(basic, given)
    tags = [fault.path for fault in caught.value.faults if "a tag (" in fault.found]
    assert tags == ["seed", "models.glm-5.capacity.slots", "models.glm-5.capacity.queue"]


def test_an_override_with_null_gives_the_default(basic):
    assert shares(load(basic, ["router=null"])) == (70, 20, 10)
    assert shares(load(basic, ["router.shares_percent="])) == (70, 20, 10)


def test_of_two_overrides_of_one_path_the_later_counts(basic):
    assert load(basic, ["seed=1", "seed=2"]).seed == 2


def test_overrides_may_be_values_by_path(basic):
    scenario = load(basic, {"groups.coders.count": 3, "models.glm-5.capacity": {"slots": 2}})
    assert (scenario.groups["coders"].count, scenario.models["glm-5"].capacity.slots) == (3, 2)


def test_the_seed_given_takes_the_place_of_the_file_s(basic):
    assert load(basic, ["seed=5"], seed=9).seed == 9
