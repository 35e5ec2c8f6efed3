"""A router of the user's own: this very file is one, and what is wrong with others is told."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from sim.chance import below, key, mix
from sim.facts import ScenarioError, Task
from sim.routers import MarketPool, Python
from sim.scenario import Scenario, from_mapping, load
from sim.world import World
from tests.scenarios_for_tests import lively, model, ran, scenario

MINE = key("router/mine")


def pick(task: Task, attempt: int, models: Sequence[int], pool: MarketPool, floor: int = 0) -> int:
    """Any of the models whose score is at least ``floor``, else the first."""
    good = [each for each in models if pool.scores[task.intent][each] >= floor] or models[:1]
    return good[below(mix(task.draw, MINE, attempt), len(good))]


def asked(file: Path | str, **parameters: object) -> dict[str, object]:
    return {"kind": "python", "file": str(file), "parameters": parameters}


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.py"
    path.write_text(text)
    return path


PICK = "def pick(task, attempt, models, pool, **more):\n    "


def test_it_decides_with_the_parameters_of_the_scenario(tmp_path: Path) -> None:
    path = written(tmp_path, "def pick(task, attempt, models, pool, place=0):\n"
                             "    return models[place]\n")  # fmt: skip
    two = {"a": model(), "b": model()}
    for place, name in enumerate(two):
        calls = ran(scenario(two, tasks=20, router=asked(path, place=place))).calls
        assert set(calls["model"]) == {name}


def test_what_is_wrong_with_the_file_is_a_fault_of_the_scenario(tmp_path: Path) -> None:
    for file, words in [
        (tmp_path / "none.py", "cannot be read: No such file"),
        (tmp_path, "cannot be read"),
        (written(tmp_path, "x = 1\n"), "has no function pick"),
    ]:
        with pytest.raises(ScenarioError, match=words) as caught:
            scenario(router=asked(file))
        assert caught.value.faults[0].path == "router"
    with pytest.raises(ScenarioError, match="is no Python"):
        scenario(router=asked(written(tmp_path, "def pick(:\n")))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{PICK}return 7\n", "pick returned 7; allowed: one of the models on offer: 0"),
        (f"{PICK}return None\n", "pick returned None"),
        (f"{PICK}return True\n", "pick returned True"),
        (f"import numpy\n{PICK}return numpy.True_\n", "pick returned np.True_"),
        (f"{PICK}return 0.0\n", "pick returned 0.0"),
        (f"import sys\n{PICK}sys.exit(0)\n", r"raised SystemExit: 0 \(line 3 of mine.py\)"),
        (f"import sys\n{PICK}return 0\nsys.exit(0)\n", "a file that raised SystemExit"),
        (f"{PICK}return 'm'\n", "pick returned 'm'"),
        (f"{PICK}return 1 // 0\n", r"raised ZeroDivisionError: .* \(line 2 of mine.py\)"),
        ("def pick():\n    return 0\n", "pick raised TypeError"),
        (f"import no_such_thing\n{PICK}return 0\n", "raised ModuleNotFoundError"),
        (f"{PICK}return 0\npick = 3\n", "no function pick"),
    ],
)
def test_what_it_does_wrong_stops_the_run_with_a_fault(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(ScenarioError, match=words):
        ran(scenario(tasks=5, router=asked(written(tmp_path, text))))


def test_numpys_whole_numbers_are_whole_numbers(tmp_path: Path) -> None:
    text = f"import numpy\n{PICK}return numpy.argmin(models)\n"
    assert ran(scenario(tasks=5, router=asked(written(tmp_path, text)))).calls.height == 5


def test_what_it_prints_goes_to_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"{PICK}print('hello')\n    return 0\n"
    ran(scenario(tasks=1, router=asked(written(tmp_path, text))))
    assert capsys.readouterr() == ("", "hello\n")


@pytest.mark.timeout(60)
def test_one_that_never_returns_is_ended_by_a_second_interrupt(tmp_path: Path) -> None:
    text = (
        f"import os, signal\n{PICK}os.kill(os.getpid(), signal.SIGINT)\n"
        "    while True:\n        os.kill(os.getpid(), signal.SIGINT)\n"
    )
    world = World(scenario(tasks=5, router=asked(written(tmp_path, text))))
    with pytest.raises(KeyboardInterrupt):
        world.run()
    assert world.history.interrupted


def test_the_record_says_which_code_it_was_made_by(tmp_path: Path) -> None:
    path = written(tmp_path, f"{PICK}return models[0]\n")
    first = scenario(tasks=5, router=asked(path))
    written(tmp_path, f"{PICK}return models[-1]\n")
    second = scenario(tasks=5, router=asked(path))
    assert isinstance(first.router, Python)
    assert first.router.sha256 != getattr(second.router, "sha256", None)
    assert first.scenario_hash() != second.scenario_hash()
    with pytest.raises(ScenarioError, match="another file than when the scenario was checked"):
        World(first).run()


def test_a_record_can_be_read_without_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, f"{PICK}return models[0]\n")
    made = scenario(tasks=5, router=asked(path, floor=0.5, name="x", on=True))
    path.unlink()
    again = Scenario.model_validate_json(made.model_dump_json())
    assert again == made
    assert again.scenario_hash() == made.scenario_hash()
    with pytest.raises(ScenarioError, match="no file that can be read"):
        World(again).run()


def test_it_may_ask_all_that_the_market_knows(tmp_path: Path) -> None:
    path = written(tmp_path, (
        "def pick(task, attempt, models, pool):\n"
        "    pool.latencies(task, models), pool.loads(models), pool.lessons(task.intent)\n"
        "    spent = pool.spend(task.intent, models, 0)\n"
        "    tried = pool.tried[task.intent]\n"
        "    assert all(not s or tried[m] for s, m in zip(spent, models))\n"
        "    return models[spent.index(min(spent))]\n"
    ))  # fmt: skip
    assert ran(lively(80, router=asked(path))).calls.height > 50


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ScenarioError, match="fiel"):
        from_mapping({"router": {"kind": "python", "fiel": "x.py"}})


MARKET = """
version: 1
tasks: 5
models: {m: {price: {kind: per_call, usd_per_call: 0.01}, quality: {CHAT_COMPLETION: 0.7}}}
groups:
  a:
    count: 1
    arrival: {kind: poisson, per_hour: 60}
    intents: {CHAT_COMPLETION: {input_tokens: {median: 100}, output_tokens: {median: 100}}}
    budget_usd: 9
    value_usd: 1
    max_price_usd: 1
    deadline_s: 60
"""


def test_its_path_is_from_the_folder_of_the_file_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    written(tmp_path / "a", f"{PICK}return models[0]\n")
    named = f"{MARKET}router: {{kind: python, file: mine.py}}\n"
    (tmp_path / "a" / "one.yaml").write_text(named)
    (tmp_path / "b" / "two.yaml").write_text("extends: ../a/one.yaml\nseed: 1\n")
    hashes = set()
    for folder, path in ((tmp_path, "a/one.yaml"), (tmp_path / "a", "one.yaml"),
                         (tmp_path / "b", "two.yaml")):  # fmt: skip
        monkeypatch.chdir(folder)
        hashes.add(load(path).scenario_hash())
    assert len(hashes) == 1
    monkeypatch.chdir(tmp_path / "a")
    given = load("../b/two.yaml", ["router.parameters={x: 1}", "router.file=mine.py"])
    assert isinstance(given.router, Python)
    assert given.router.file == str(tmp_path / "a" / "mine.py")


def test_a_model_that_a_router_names_is_looked_for_with_all_other_faults() -> None:
    broken = {
        "version": 1, "tasks": 5, "models": {"small": model()}, "groups": {"a": {"count": "x"}},
        "router": {"kind": "weighted", "weights": {"smal": 1, "small": 2, "big": 3}},
    }  # fmt: skip
    with pytest.raises(ScenarioError) as caught:
        from_mapping(broken)
    faults = {fault.path: fault for fault in caught.value.faults}
    assert faults["router.weights.smal"].hint == "did you mean small?"
    assert faults["router.weights.big"].allowed == "a model of this scenario: small"
    assert any(path.startswith("groups.a") for path in faults)


@pytest.mark.parametrize(
    ("router", "path"),
    [
        ({"kind": "single", "model": "x"}, "router.model"),
        ({"kind": "cascade", "order": ["m", "x"]}, "router.order[1]"),
        ({"kind": "split", "strong": "x"}, "router.strong"),
    ],
)
def test_the_fault_is_where_the_name_is(router: dict[str, object], path: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario(router=router)
    assert [fault.path for fault in caught.value.faults] == [path]
