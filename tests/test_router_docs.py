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
WORDS = {
    "floor 0.8": "router.floor=0.8",
    "cheapness 0": "router.cheapness=0",
    "exp3": "router.rule=exp3",
    "solid then frontier": "order",
}


@pytest.mark.soak
def test_the_figures_come_from_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command = next(line for line in PAGE.splitlines() if line.startswith("telex compare"))
    assert main(shlex.split(command)[1:]) == 0
    means = json.loads((tmp_path / "routers" / "result.json").read_text())["means"]
    rows = ROW.findall(PAGE)
    assert len(rows) == len(means)
    for kind, words, success, cost, median in rows:
        name = f"router.kind={kind}" + (f";{WORDS[words]}" if words else "")
        if words == "solid then frontier":
            name = next(each for each in means if "order" in each)
        found = means["hello-market" if kind == "leaderboard" else name]
        shown = (
            f"{found['success_rate']['mean'] * 100:.1f}",
            f"{found['cost_per_success_micros']['mean'] / 10**6:.5f}",
            f"{found['latency_us.p50']['mean'] / 10**6:.1f}",
        )
        assert shown == (success, cost, median), name


def test_the_router_of_the_page_runs(tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code
    path = tmp_path / "my_router.py"
    path.write_text(code[1])
    chosen = {"kind": "python", "file": str(path), "parameters": {"floor": 0.65}}
    quick = model(latency={"first_token_ms": 5, "tokens_per_s": 1e9, "sigma": 0})
    poor = quick | {"quality": {"CHAT_COMPLETION": 0.3}}
    models = {"poor": poor, "quick": quick, "slow": model()}
    calls = ran(scenario(models, tasks=10, router=chosen)).calls
    assert set(calls["model"]) == {"quick"}
