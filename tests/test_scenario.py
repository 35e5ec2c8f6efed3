"""Scenarios: layers, overrides, the hash, and what a file may look like."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from sim.facts import ScenarioError
from sim.metrics import figures
from sim.scenario import Scenario, from_mapping, json_schema, load, template
from sim.scenario.library import FOLDERS, names
from tests.scenario_files import BASIC, Writer, asked, shares, writer
from tests.scenarios_for_tests import ran


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    return writer(tmp_path)


@pytest.fixture
def basic(write: Writer) -> Path:
    return write(BASIC)


def test_a_file_becomes_a_scenario_named_after_it(basic):
    scenario = load(basic)
    assert scenario.name == "basic"
    assert scenario.horizon_h == 24
    assert scenario.groups["coders"].budget_usd == Decimal(500)


def test_a_name_that_is_no_id_is_made_one(write):
    assert load(write(BASIC, "my first (draft).yaml")).name == "my-first-draft"


def test_a_price_is_read_exactly_as_it_is_written(write):
    price = "0.123456"
    scenario = load(write(BASIC.replace("0.60", price)))
    assert asked(scenario.models["house-model"], "input") == Decimal(price)


def test_a_model_takes_from_the_catalog_what_it_does_not_say(basic):
    model = load(basic).models["glm-5"]
    assert (model.capacity.slots, model.capacity.queue) == (8, 500)
    assert asked(model, "output") == Decimal("3.20")


def test_a_model_may_extend_another_of_the_file(write):
    text = BASIC + "\n"
    extra = "  cheap:\n    extends: house-model\n    price: {output_usd_per_mtok: 1}\ngroups:"
    scenario = load(write(text.replace("groups:", extra)))
    cheap, house = scenario.models["cheap"], scenario.models["house-model"]
    assert asked(cheap, "output") == 1
    assert asked(cheap, "input") == asked(house, "input")


def test_of_several_bases_the_later_lies_upon_the_earlier(write):
    write("router: {kind: cheapest}\nseed: 7\n", "a.yaml")
    write("router: {kind: random}\n", "b.yaml")
    path = write("extends: [a.yaml, b]\n" + BASIC.replace("router:", "# router:"))
    scenario = load(path)
    assert (scenario.router.kind, scenario.seed) == ("random", 7)


def test_a_file_lies_upon_what_it_extends_and_paths_are_relative_to_it(write):
    write(BASIC, "deep/base.yaml")
    write("extends: base.yaml\nseed: 3\n", "deep/middle.yaml")
    top = "extends: deep/middle.yaml\ngroups: {coders: {count: 9}}\n"
    scenario = load(write(top, "top.yaml"))
    assert (scenario.seed, scenario.groups["coders"].count) == (3, 9)
    assert scenario.groups["coders"].deadline_s == 120


@pytest.mark.parametrize("preset", names(FOLDERS["presets"]))
def test_every_preset_makes_a_template_that_loads(preset, write):
    assert load(write(template("mine", preset), "mine.yaml")).name == "mine"


def test_the_template_without_a_preset_loads(write):
    assert load(write(template("mine"), "mine.yaml")).models["house-model"].weights == "open"


@pytest.mark.parametrize("preset", [None, *names(FOLDERS["presets"])])
def test_what_a_newcomer_is_given_carries_its_load(preset, write):
    path = write(template("mine", preset), "mine.yaml")
    for seed in (1, 2):
        found = figures(ran(load(path, {"seed": seed})))
        assert found.stability.verdict == "stable"
        assert (found.success_rate or 0) > 0.8


def test_a_template_of_an_unknown_preset_is_a_fault_with_the_nearest_name():
    with pytest.raises(ScenarioError, match=r"did you mean telegraph\?"):
        template("mine", "telegrph")


def test_null_takes_an_inherited_key_away(write):
    write(BASIC, "base.yaml")
    over = "extends: base.yaml\nmodels: {gpt-5.2: null, glm-5: {capacity: {slots: ~}}}\n"
    scenario = load(write(over, "over.yaml"))
    assert set(scenario.models) == {"glm-5", "house-model"}
    assert scenario.models["glm-5"].capacity.slots == 100


def test_another_kind_replaces_the_whole_rule(write):
    write(BASIC, "base.yaml")
    scenario = load(write("extends: base.yaml\nrouter: {kind: cheapest}\n", "over.yaml"))
    assert scenario.router.kind == "cheapest"


def test_the_same_kind_again_keeps_the_parameters_below(write):
    write(BASIC, "base.yaml")
    scenario = load(write("extends: base.yaml\nrouter: {kind: leaderboard}\n", "over.yaml"))
    assert shares(scenario) == (60, 40)


def test_tasks_in_a_layer_above_take_the_place_of_the_horizon_below(basic):
    scenario = load(basic, ["tasks=50"])
    assert (scenario.tasks, scenario.horizon_h) == (50, None)


def test_lists_replace(basic):
    assert shares(load(basic, ["router.shares_percent=[90, 10]"])) == (90, 10)


def test_the_hash_does_not_depend_on_the_order_of_keys(basic, write):
    head, tail = BASIC.split("models:\n")
    models, groups = tail.split("groups:\n")
    lines = models.splitlines(keepends=True)
    swapped = "groups:\n" + groups + head + "models:\n" + "".join(lines[2:] + lines[:2])
    again = load(write(swapped, "again.yaml"))
    assert again.scenario_hash() == load(basic).scenario_hash()
    assert list(again.models) == list(load(basic).models)


def test_the_hash_takes_equal_numbers_as_equal(basic, write):
    other = BASIC.replace("0.60", "0.600").replace("3.00", "3").replace("24", "24.0")
    assert load(write(other, "other.yaml")).scenario_hash() == load(basic).scenario_hash()


def test_the_hash_takes_a_default_that_is_written_as_one_that_is_not(basic):
    same = load(basic, ["validators.count=7", "groups.coders.retries=0"])
    assert same.scenario_hash() == load(basic).scenario_hash()


@pytest.mark.parametrize(
    "override",
    [
        "seed=2",
        "groups.coders.count=6",
        "models.glm-5.price.input_usd_per_mtok=1.000001",
        "chain.eth_usd=2999",
        "rail.size=10",
    ],
)
def test_the_hash_covers_what_can_change_a_record(basic, override):
    assert load(basic, [override]).scenario_hash() != load(basic).scenario_hash()


@pytest.mark.parametrize(
    "override", ["name=other", "chain.backend=none", "models.glm-5.sources=null"]
)
def test_the_hash_leaves_out_name_backend_and_sources(basic, override):
    assert load(basic, [override]).scenario_hash() == load(basic).scenario_hash()


def test_the_hash_is_the_same_in_another_process(basic):
    code = (
        "import sys; from sim.scenario import load; print(load(sys.argv[1]).scenario_hash().hex())"
    )
    asked = [sys.executable, "-c", code, str(basic)]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == load(basic).scenario_hash().hex()


def test_a_scenario_comes_back_from_json_as_it_was(basic):
    scenario = load(basic)
    again = Scenario.model_validate(json.loads(scenario.model_dump_json()))
    assert again == scenario
    assert again.canonical_json() == scenario.canonical_json()


def test_a_scenario_comes_back_from_its_own_mapping(basic):
    scenario = load(basic)
    assert from_mapping(scenario.model_dump()).scenario_hash() == scenario.scenario_hash()


def test_anchors_may_be_used_within_a_file(write):
    text = BASIC.replace("output_tokens: {median: 500}", "output_tokens: *size").replace(
        "input_tokens: {", "input_tokens: &size {"
    )
    demand = load(write(text)).groups["coders"].intents["CODE_GENERATION"]
    assert demand.input_tokens == demand.output_tokens


def test_words_are_read_as_in_yaml_1_2(write):
    text = BASIC.replace("house-model:", "no:").replace(
        "quality: {C", "origin: no\n    quality: {C"
    )
    assert load(write(text)).models["no"].origin == "no"


def test_the_schema_for_editors_lets_layers_leave_keys_out():
    schema = json_schema()
    text = json.dumps(schema)
    assert '"required"' not in text
    definitions = schema["$defs"]
    assert isinstance(definitions, dict)
    model = definitions["Model"]
    assert isinstance(model, dict)
    assert "extends" in str(model["properties"])
    assert '"quality-floor"' in text
