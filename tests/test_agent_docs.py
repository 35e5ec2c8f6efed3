"""docs/agents.md: its workflow is one, its commands run, and its rules are those of the schema."""

import re
import shlex
from pathlib import Path

import pytest

from sim.cli import main
from sim.scenario.reading import read_text
from sim.scenario.tree import plain
from tests.scenarios_for_tests import CHAT, CODE, model
from tests.workflow_helpers import studio

PAGE = (Path(__file__).parents[1] / "docs" / "agents.md").read_text()
RULE = re.compile(
    r"`((?:escalation|give_up|lateness|learning|outside|session|withdrawal): \{.*?\})`(?: \||:|,| )"
)


def test_the_workflow_of_the_page_is_one() -> None:
    text = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert text is not None
    tree, faults = read_text(text[1], "agents.md")
    assert not faults
    demands = plain(tree)
    assert isinstance(demands, dict)
    serving = {CODE: 0.7, "LANGUAGE_GENERATION": 0.7}
    what = studio({}, {"m": model(quality=serving)}, **demands)
    assert [*what.groups["a"].intents[CODE].workflow] == ["plan", "test", "write"]


def test_the_rules_of_the_page_are_such() -> None:
    rules = RULE.findall(PAGE)
    assert len(rules) >= 9
    models = {name: model(quality={CHAT: 0.7}, weights="open") for name in ("glm-5", "m")}
    for rule in rules:
        tree, _ = read_text(rule.replace("[...]", "[m]"), "agents.md")
        changes = plain(tree)
        assert isinstance(changes, dict)
        key, value = next(iter(changes.items()))
        assert isinstance(value, dict)
        found = getattr(studio({}, models, **changes).groups["a"], key).model_dump(mode="json")
        assert value.keys() <= found.keys(), rule


@pytest.mark.timeout(300)
def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    steps = [shlex.split(line) for block in blocks for line in block.splitlines()]
    assert len(steps) == 3
    for name, *arguments in steps:
        assert name == "telex"
        assert main(arguments) == 0, arguments
