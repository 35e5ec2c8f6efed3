"""docs/mechanisms.md: its figures are those of its command, and its other commands run."""

import json
import re
import shlex
from pathlib import Path

import pytest

from sim.cli import main

PAGE = (Path(__file__).parents[1] / "docs" / "mechanisms.md").read_text()
COMMANDS = re.findall(r"^telex (.+)$", PAGE, re.MULTILINE)
ROW = re.compile(r"^\| `[^|]+\| (\S+) \| (\S+) \| (\S+) \|", re.MULTILINE)
SALES, CENT = 1440, 10_000
METRICS = ("spend_micros", "market.welfare_micros", "prices.surplus_micros")


@pytest.mark.soak
def test_the_figures_come_from_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command = next(line for line in COMMANDS if line.startswith("compare"))
    assert main(shlex.split(command)) == 0
    means = json.loads((tmp_path / "designs" / "result.json").read_text())["means"]
    rows = ROW.findall(PAGE)
    assert len(rows) == len(means) == 7
    for shown, found in zip(rows, means.values(), strict=True):
        cents = [f"{found[name]['mean'] / SALES / CENT:.1f}" for name in METRICS]
        assert list(shown) == cents


def test_the_commands_that_explain_a_call_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in COMMANDS:
        if line.startswith(("run auction", "explain")):
            assert main(shlex.split(line)) == 0
    assert "Mechanism: second-price" in capsys.readouterr().err
