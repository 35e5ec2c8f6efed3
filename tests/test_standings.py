"""What a run says of models, intents and validators: in the terminal, and on the page."""

import re
from pathlib import Path

import polars as pl
import pytest

from sim.cli import main
from sim.runner import run
from tests.report_helpers import placed
from tests.scenarios_for_tests import CHAT, CODE, demand, group, model, scenario

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def told(capsys: Captured, name: str, *changes: str) -> str:
    """What ``telex run`` says on stderr, its blanks made one."""
    arguments = ["run", name, "--chain", "none"]
    assert main([*arguments, *(each for change in changes for each in ("--set", change))]) == 0
    lines = capsys.readouterr().err.splitlines()
    return "\n".join(" ".join(line.split()) for line in lines)


def test_revocations_are_told_of_a_protocol_without_validators(capsys: Captured) -> None:
    assert "revocations: 1" in told(capsys, "revocation-threshold")


def test_the_multiplier_is_told_of_a_protocol_without_validators(capsys: Captured) -> None:
    assert "multiplier up to 1.5" in told(capsys, "multiplier-spiral")


def test_validators_are_told_with_their_bans_and_what_they_lost(capsys: Captured) -> None:
    text = told(capsys, "quality-fraud")
    assert "validators seated strikes ejected banned removed reward slashed net each" in text
    assert re.search(r"working 20 0 0 0 0 [\d,.]+ 0\.0 [\d.]+$", text, re.M)
    assert re.search(r"copying \d+ \d+ \d+ [1-9]\d* \d+ [\d,.]+ [1-9][\d,.]* -[\d.]+$", text, re.M)


def test_profit_is_told_where_answers_cost_something(capsys: Captured) -> None:
    assert "revenue $ profit $ $ a call" in told(capsys, "quality-vs-price", "tasks=200")
    assert "profit $" not in told(capsys, "hello-market", "tasks=60")


def test_an_intents_first_models_are_those_with_most_of_its_calls(tmp_path: Path) -> None:
    models = {
        "coder": model("0.002", quality={CHAT: 0.2, CODE: 0.9}),
        "talker": model("0.002", quality={CHAT: 0.9, CODE: 0.2}),
        "other": model("0.002", quality={CHAT: 0.5, CODE: 0.5}),
    }
    people = group(300, intents={CHAT: demand(), CODE: demand()})
    what = scenario(models, {"a": people}, horizon_h=1, router={"kind": "leaderboard"})
    ended = run(what, out=tmp_path / "run", chain="none")
    calls, tasks = (
        pl.read_parquet(tmp_path / "run" / f"{name}.parquet").with_columns(
            pl.col(pl.Enum).cast(pl.String)
        )
        for name in ("calls", "tasks")
    )
    both = calls.join(tasks.select("task_id", "intent"), on="task_id")
    assert set(ended.summary.intents) == {CHAT, CODE}
    for intent, found in ended.summary.intents.items():
        counts = both.filter(pl.col("intent") == intent)["model"].value_counts()
        ranked = counts.sort("count", descending=True).rows()
        assert found.calls == sum(count for _, count in ranked)
        assert (found.first, found.first_share) == (ranked[0][0], ranked[0][1] / found.calls)
        wanted = (ranked[1][0], ranked[1][1] / found.calls) if len(ranked) > 1 else (None, None)
        assert (found.second, found.second_share) == wanted
    assert ended.summary.intents[CHAT].first == "talker"
    assert ended.summary.intents[CODE].first == "coder"


def test_the_page_has_the_standings(tmp_path: Path) -> None:
    models = {"a": model("0.002"), "b": model("0.002")}
    directory = placed(tmp_path / "run", scenario(models, {"g": group(60)}, horizon_h=1))
    assert main(["report", str(directory)]) == 0
    page = next(tmp_path.rglob("*.html")).read_text()
    assert 'id="standings"' in page
    assert "Models: what they did and what they earned" in page
    assert "Validators: seats" not in page
