"""What scenarios say in their first comments can be done: each of their commands runs."""

import re
import shlex
from pathlib import Path

import pytest

from sim.cli import main
from sim.scenario.library import Remarks, listing, scenarios_folder

REMARKS = {each.name: each.remarks for each in listing(scenarios_folder())}
COMMANDS = [(name, command) for name, said in REMARKS.items() for command in said.commands]
SETTING = re.compile(r"--set ('[^']+'|[^\s`);,]+)")


@pytest.mark.parametrize(("name", "said"), REMARKS.items(), ids=REMARKS)
def test_a_scenario_asks_a_question_and_says_what_to_expect(name: str, said: Remarks) -> None:
    assert "?" in said.question, name
    assert said.expected.startswith("Expect:"), name


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[command for _, command in COMMANDS])
def test_the_commands_of_a_scenario_run(
    name: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _, *arguments = shlex.split(command)
    assert name in arguments
    assert main(arguments) == 0


@pytest.mark.parametrize(("name", "said"), REMARKS.items(), ids=REMARKS)
def test_the_settings_that_a_scenario_suggests_are_its_own(name: str, said: Remarks) -> None:
    words = f"{said.question} {said.expected}"
    assert words.count("--set") == len(SETTING.findall(words))
    for setting in SETTING.findall(words):
        path_value = shlex.split(setting)[0].replace("tasks=N", "tasks=100")
        assert main(["validate", name, "--set", path_value]) == 0, setting
