"""docs/routers.md: its figures are those of its commands, and its own router runs."""

import json
import re
import shlex
from pathlib import Path

import pytest

from sim.cli import main
from tests.scenarios_for_tests import model, ran, scenario

PAGE = (Path(__file__).parents[1] / "docs" / "routers.md").read_text()
ROW = re.compile(r"^\| `(\S+?)`(?:, (.+?))? \| (\S+) \| (\S+) \| (\S+) \|", re.MULTILINE)
REPLAYED = re.compile(r"^\| ([a-z].+?) \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$", re.MULTILINE)
WORDS = {
    "floor 0.8": "router.floor=0.8",
    "cheapness 0": "router.cheapness=0",
    "exp3": "router.rule=exp3",
    "alpha 1": "router.alpha=1",
}
ORDERS = {"solid then frontier": False, "a judge that errs": True}


@pytest.mark.soak
def test_the_figures_come_from_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command = next(line for line in PAGE.splitlines() if line.startswith("telex compare"))
    assert main(shlex.split(command)[1:]) == 0
    means = json.loads((tmp_path / "routers" / "result.json").read_text())["means"]
    rows = ROW.findall(PAGE.partition("## On recorded outcomes")[0])
    assert len(rows) == len(means)
    for kind, words, success, cost, median in rows:
        name = f"router.kind={kind}" + (f";{WORDS[words]}" if words in WORDS else "")
        if words in ORDERS:
            judged = ORDERS[words]
            name = next(n for n in means if "order" in n and ("accept" in n) is judged)
        found = means["hello-market" if kind == "leaderboard" else name]
        shown = (
            f"{found['success_rate']['mean'] * 100:.1f}",
            f"{found['cost_per_success_micros']['mean'] / 10**6:.5f}",
            f"{found['latency_us.p50']['mean'] / 10**6:.1f}",
        )
        assert shown == (success, cost, median), name


def test_the_figures_of_replay_come_from_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    part = PAGE.partition("## On recorded outcomes")[2]
    code = re.search(r"```python\n(.*?)```", part, re.DOTALL)
    assert code
    exec(code[1], {})
    command = next(line for line in part.splitlines() if line.startswith("telex replay"))
    assert main([*shlex.split(command)[1:], "--json"]) == 0
    found = {row["label"]: row for row in json.loads(capsys.readouterr().out)["routers"]}
    rows = REPLAYED.findall(part)
    assert {label for label, *_ in rows} == set(found)
    for label, *shown in rows:
        row = found[label]
        dollars = (1000 * row[f"cost_usd_per_{each}"] for each in ("task", "success"))
        figures = [f"{row['success'] * 100:.1f}", *(f"{each:.2f}" for each in dollars)]
        assert shown == [*figures, f"{row['aiq']:.3f}"], label
    assert (tmp_path / "outcomes.html").stat().st_size > 10_000


def test_the_router_of_the_page_runs(tmp_path: Path) -> None:
    code = re.search(r"```python\n(def pick.*?)```", PAGE, re.DOTALL)
    assert code
    path = tmp_path / "my_router.py"
    path.write_text(code[1])
    chosen = {"kind": "python", "file": str(path), "parameters": {"floor": 0.65}}
    quick = model(latency={"first_token_ms": 5, "tokens_per_s": 1e9, "sigma": 0})
    poor = quick | {"quality": {"CHAT_COMPLETION": 0.3}}
    models = {"poor": poor, "quick": quick, "slow": model()}
    calls = ran(scenario(models, tasks=10, router=chosen)).calls
    assert set(calls["model"]) == {"quick"}
