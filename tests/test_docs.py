"""What the documents say is so: their commands run, and the metric dictionary is the code's."""

import re
import shlex
from pathlib import Path

import pytest

from sim.cli import main
from sim.metrics.definitions import page

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)\)")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def commands(document: Path) -> list[list[str]]:
    """The arguments of every ``telex`` command that a document asks its reader to run."""
    blocks = BLOCK.findall(document.read_text())
    lines = [line for block in blocks for line in block.splitlines() if line.strip()]
    return [shlex.split(line) for line in lines]


@pytest.mark.chain
@pytest.mark.timeout(600)
def test_the_commands_of_the_tutorial_run_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    steps = commands(ROOT / "docs" / "tutorial.md")
    assert len(steps) >= 10
    for name, *arguments in steps:
        assert name == "telex"
        assert main(arguments) == 0, arguments


@pytest.mark.chain
def test_the_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    steps = commands(ROOT / "README.md")
    assert steps
    for name, *arguments in steps:
        assert name == "telex"
        assert main(arguments) == 0, arguments


QUESTION = re.compile(r"^```sh\n(.*?)^```\n+```text\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(600)
def test_the_figures_of_the_questions_are_those_that_their_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = QUESTION.findall((ROOT / "docs" / "questions.md").read_text())
    assert len(asked) >= 4
    for command, answer in asked:
        assert main(shlex.split(command)[1:]) == 0, command
        plain = capsys.readouterr().err.replace("\u00a0", " ")
        printed = [line.strip() for line in plain.splitlines()]
        assert [line for line in answer.splitlines() if line.strip() not in printed] == []


def test_the_metric_dictionary_is_that_of_the_code() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text() == page(), "make docs"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    links = LINK.findall(document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_test_that_the_security_page_names_is_there() -> None:
    page_text = (ROOT / "docs" / "security.md").read_text()
    named = set(re.findall(r"`(test(?:Fuzz)?_\w+)`", page_text))
    tests = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "contracts" / "test").glob("*.sol")]
    defined = re.compile(r"(?:def|function) (test(?:Fuzz)?_\w+)")
    there = {name for path in tests for name in defined.findall(path.read_text())}
    assert len(named) > 20
    assert named - there == set()


def test_the_scenario_of_the_readme_is_one(tmp_path: Path) -> None:
    text = re.search(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert text is not None
    (tmp_path / "readme.yaml").write_text(text[1])
    assert main(["validate", str(tmp_path / "readme.yaml")]) == 0
