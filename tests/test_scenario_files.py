"""Files that are no scenario, or lead to none: one fault each, with its place, and no traceback."""

import pytest

from sim.facts import ScenarioError
from sim.scenario import load
from sim.scenario.reading import NODES_MAX
from tests.bad_scenarios import GOOD, fault_of_file, faults_of


def test_a_fault_of_a_file_says_its_line(tmp_path):
    fault = fault_of_file(
        tmp_path / "a.yaml",
        "version: 1\ntasks: 5\nmodels:\n  a: {extends: catalog/glm-5}\ngroups:\n  g:\n"
        "    count: 1\n    arrival: {kind: poisson, per_hour: 1}\n    intents:\n"
        "      CHAT_COMPLETION:\n        input_tokens: {median: 1}\n"
        "        output_tokens: {median: 1}\n    budget_usd: 0\n    value_usd: 1\n"
        "    max_price_usd: 1\n    deadline_s: 1\n",
    )
    assert (fault.path, fault.place) == ("groups.g.budget_usd", "a.yaml, line 13")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing in it"),
        ("# only a comment\n", "nothing in it"),
        ("- a\n- b\n", "a list"),
        ("just words\n", "'just words'"),
        ("a: [1, 2\nb: 3\n", "line 2"),
        ("a: b: c\n", "line 1, column 5"),
        ("a:\n\t- b\n", "tabs"),
        ("a: 1\n---\nb: 2\n", "second document"),
        ("a: *nothing\n", "alias"),
        ("a: &a [*a]\n", "inside itself"),
        ("? [1, 2]\n: 3\n", "as a key"),
        ("a: 'open\n", "line"),
        ("%YAML 3.0\n---\na: 1\n", "a.yaml"),
        (b"\xff\xfe\x00\x01", "UTF-8"),
        (b"PK\x03\x04\x00\x00", "a.yaml"),
        ("a: \x00\n", "a.yaml"),
        ("[" * 5_000, "levels"),
        ("a: {" * 5_000, "levels"),
    ],
)
def test_what_cannot_be_read_is_one_fault_with_its_place(tmp_path, text, words):
    assert words in str(fault_of_file(tmp_path / "a.yaml", text))


def test_a_key_written_twice_is_a_fault_with_both_lines(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("version: 1\ntasks: 1\ntasks: 2\n")
    with pytest.raises(ScenarioError, match=r"twice \(lines 2 and 3\)"):
        load(path)


def test_tags_and_merge_keys_are_faults(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("version: !!python/object:os.system 1\n<<: {tasks: 2}\n")
    with pytest.raises(ScenarioError) as caught:
        load(path)
    found = [fault.found for fault in caught.value.faults]
    assert any("a tag (" in each for each in found)
    assert "a merge key" in found


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("seed: !!python/object/apply:os.system [ls]", "seed"),
        ("groups: !!python/dict {}", "groups"),
        ("groups: {a: {count: !!int 3}}", "groups.a.count"),
        ("!!python/str seed: 1", "seed"),
        ("reported: [!!python/tuple [1]]", "reported"),
    ],
)
def test_a_tag_on_whatever_it_is_is_a_fault_there(tmp_path, line, path):
    file = tmp_path / "a.yaml"
    file.write_text(f"version: 1\n{line}\n")
    with pytest.raises(ScenarioError) as caught:
        load(file)
    tags = [fault for fault in caught.value.faults if "a tag (" in fault.found]
    assert [(fault.path, fault.place) for fault in tags] == [(path, "a.yaml, line 2")]


def test_an_alias_bomb_is_one_fault(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert str(NODES_MAX) in str(fault_of_file(tmp_path / "a.yaml", "\n".join(lines)))


def test_a_file_that_is_too_large_is_one_fault(tmp_path):
    assert "a larger file" in str(fault_of_file(tmp_path / "a.yaml", "a: 1\n" * 500_000))


def test_a_missing_file_is_a_fault_with_the_nearest_name(tmp_path):
    (tmp_path / "telegraph.yaml").write_text("version: 1\n")
    with pytest.raises(ScenarioError, match=r"no such file.*did you mean telegraph.yaml\?"):
        load(tmp_path / "telegraf.yaml")


@pytest.mark.parametrize("name", ["", ".", "..", "/", "a\0b", "x" * 5_000])
def test_what_is_no_file_is_a_fault(name):
    with pytest.raises(ScenarioError):
        load(name)


def test_files_that_extend_each_other_are_a_fault(tmp_path):
    (tmp_path / "a.yaml").write_text("extends: b.yaml\nversion: 1\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    with pytest.raises(ScenarioError, match=r"a circle: a.yaml -> b.yaml -> a.yaml"):
        load(tmp_path / "a.yaml")


def test_models_that_extend_each_other_are_one_fault():
    faults = faults_of(GOOD, ("models.house.extends=gpt-5.2", "models.gpt-5.2.extends=house"))
    circles = [fault for fault in faults if "circle" in fault.found]
    assert len(circles) == 1


def test_a_long_chain_of_models_is_a_fault():
    chain = {f"m{n}": {"extends": f"m{n + 1}"} for n in range(500)}
    bad = GOOD | {"models": chain | {"m500": {"extends": "catalog/glm-5"}}}
    assert any("circle" in fault.found for fault in faults_of(bad))


def test_a_missing_preset_is_a_fault_with_the_nearest_name():
    (fault,) = faults_of(GOOD | {"extends": "presets/telegrap"})
    assert (fault.path, fault.hint) == ("extends", "did you mean presets/telegraph?")


def test_a_fault_in_a_file_below_names_that_file(tmp_path):
    (tmp_path / "base.yaml").write_text("router:\n  kind: chepest\n")
    path = tmp_path / "top.yaml"
    path.write_text("extends: base.yaml\n")
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert {fault.place for fault in caught.value.faults} >= {"base.yaml, line 2"}
