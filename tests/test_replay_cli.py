"""``telex replay`` and ``telex calibrate`` as they are typed."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from sim.cli.replaying import register
from sim.facts import ScenarioError, ToolError
from sim.replay import read_table
from sim.replay.writing import write_table
from sim.scenario import load
from tests.replay_helpers import outcomes

APP = typer.Typer()
register(APP)


def ran(*arguments: str | Path) -> tuple[str, str]:
    """What a command put on stdout and on stderr."""
    result = CliRunner().invoke(APP, [str(each) for each in arguments], catch_exceptions=True)
    if result.exception is not None:
        raise result.exception
    return result.stdout, result.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_table(outcomes(200, 2), tmp_path / "t.csv")
    return tmp_path / "t.csv"


def test_json_is_one_object_and_nothing_else(file: Path) -> None:
    stdout, _ = ran("replay", file, "--router", "quality-floor:floor=0.6", "--json")
    document = json.loads(stdout)
    assert set(document) == {"table", "routers"}
    assert document["table"]["tasks"] == 200
    assert document["table"]["aiq"] > 0
    last = document["routers"][-1]
    assert (last["name"], last["params"]) == ("quality-floor", {"floor": 0.6})
    assert {"success", "cost_usd_per_task", "cost_usd_per_success", "aiq", "apgr"} <= set(last)
    assert [each["name"] for each in document["routers"][:-1]] == [
        "single", "single", "random", "oracle",
    ]  # fmt: skip


def test_people_read_a_table_on_stderr(file: Path) -> None:
    stdout, stderr = ran("replay", file, "--router", "by-domain")
    assert stdout == ""
    assert "by-domain" in stderr
    assert "Zero router" in stderr


def test_the_picture_is_one_file_that_loads_nothing(file: Path, tmp_path: Path) -> None:
    arguments = ("replay", file, "--router", "by-domain", "--router", "cheapest", "--html")
    ran(*arguments, tmp_path / "a.html")
    ran(*arguments, tmp_path / "b.html")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert page == (tmp_path / "b.html").read_text(encoding="utf-8")
    assert "Zero router" in page
    assert "by-domain" in page
    assert "<script src" not in page


def test_a_page_that_cannot_be_written_is_a_tool_error(file: Path) -> None:
    with pytest.raises(ToolError):
        ran("replay", file, "--html", file / "x.html")


@pytest.mark.parametrize("usd", ["x", "nan", "-1"])
def test_a_worth_that_is_none_is_a_fault(file: Path, usd: str) -> None:
    with pytest.raises(ScenarioError, match="--value-usd"):
        ran("replay", file, f"--value-usd={usd}")


def test_calibrate_writes_a_scenario_and_a_table(file: Path, tmp_path: Path) -> None:
    out, made = tmp_path / "new" / "catalog.yaml", tmp_path / "sim.parquet"
    stdout, stderr = ran("calibrate", file, "--out", out, "--simulated", made, "--json")
    document = json.loads(stdout)
    assert document["out"] == str(out)
    assert {each["figure"] for each in document["held_out"]} >= {"success", "correlation"}
    assert set(load(out).models) == {"m0", "m1"}
    assert len(read_table(made).tasks) == 200
    assert "On tasks held out" in stderr
