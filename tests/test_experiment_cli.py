"""The commands of experiments as a user types them: exit status, JSON, words, faults."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.cli.experiment_sessions import share_of
from sim.cli.experiments import run_replications
from sim.cli.output import people
from sim.cli.tables import facts
from sim.facts import ScenarioError, ToolError
from tests.experiment_helpers import FLOORS, PRICES, file_of, telex


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def replicated(
    capsys: pytest.CaptureFixture[str],
    file: Path,
    reps: int | None = None,
    precision: str | None = None,
    of: list[str] | None = None,
    warm_up: str | None = None,
) -> tuple[int, dict[str, Any]]:
    status = run_replications(str(file), (), None, reps, precision, of, warm_up, None, 1, True)
    return status, json.loads(capsys.readouterr().out)


def test_replications_give_every_metric_a_mean_and_an_interval(tmp_path, capsys):
    status, found = replicated(capsys, file_of(tmp_path), reps=4)
    assert status == 0
    assert (found["runs"], found["failed"], found["reps"]) == (4, 0, 4)
    success = found["metrics"]["success_rate"]
    assert success["low"] < success["mean"] < success["high"]
    assert success["half_width"] == pytest.approx(success["high"] - success["mean"])
    assert found["metrics"]["tasks.posted"]["half_width"] == 0
    assert found["seeds"][0] == 3
    assert json.loads((tmp_path / found["directory"] / "result.json").read_text())["reps"] == 4


def test_precision_adds_replications_until_it_is_reached(tmp_path, capsys):
    file = file_of(tmp_path, 60)
    _, wide = replicated(capsys, file, precision="20%", of=["success_rate"])
    _, narrow = replicated(capsys, file, precision="4%", of=["success_rate"])
    assert wide["precision_reached"]
    assert narrow["precision_reached"]
    assert wide["runs"] < narrow["runs"]
    found = narrow["metrics"]["success_rate"]
    assert found["half_width"] <= 0.04 * found["mean"]


def test_a_warm_up_leaves_out_the_tasks_before_it(tmp_path, capsys):
    file = file_of(tmp_path)
    _, whole = replicated(capsys, file, reps=2)
    _, late = replicated(capsys, file, reps=2, warm_up="0.05")
    assert late["warm_up_us"] == 180_000_000
    posted = (found["metrics"]["tasks.posted"]["mean"] for found in (late, whole))
    assert next(posted) < next(posted)
    _, found = replicated(capsys, file_of(tmp_path, 400), reps=2, warm_up="auto")
    assert found["warm_up_us"] >= 0


def test_a_scenario_compared_with_itself_differs_by_exactly_nothing(tmp_path):
    file = file_of(tmp_path)
    done = telex("compare", file, file, "--reps", 3, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["designs"] == ["small", "small (2)"]
    for each in found["differences"]["small (2)"].values():
        assert (each["difference"]["mean"], each["difference"]["half_width"]) == (0, 0)
        assert each["words"] == "small and small (2) are equal"


def test_variants_of_one_scenario_are_compared_and_the_best_selected(tmp_path):
    done = telex(
        "compare", file_of(tmp_path), "--set", "router.floor=0.8", "--set",
        "router.floor=0.7; models.dear.price.usd_per_call=0.05", "--reps", 6, "--maximise",
        "success_rate", "--indifference", "5%", "--json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    better = found["differences"]["router.floor=0.8"]["success_rate"]
    assert better["winner"] == "router.floor=0.8"
    assert better["words"].startswith("router.floor=0.8 beats small by ")
    assert found["selection"]["best"] != "small"
    assert found["selection"]["reps"]["small"] >= 6


def test_a_list_in_a_name_is_shown_as_it_was_written(capsys):
    people().print(facts("order=[a, b]", [("[c, d]", "[e]")]))
    shown = capsys.readouterr().err
    assert "order=[a," in shown
    assert "[c, d]  [e]" in shown


def test_a_sweep_shows_the_metrics_asked_for_in_their_units_and_the_best_point(tmp_path):
    asked = ("sweep", file_of(tmp_path), "--param", "router.floor=0.6,0.9", "--workers", 1)
    done = telex(*asked, "--reps", 2, "--of", "spend_micros", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "spend_micros" in done.stderr
    assert "success_rate" not in done.stderr
    assert "$" in done.stderr
    wrong = telex(*asked, "--of", "spend_micro", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "did you mean spend_micros?" in wrong.stderr


def test_a_sweep_prints_one_object_and_shows_its_points(tmp_path):
    done = telex("sweep", file_of(tmp_path), "--param", PRICES, "--param", FLOORS, "--json",
                 "--workers", 1, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["points"], found["runs"], found["failed"]) == (6, 6, 0)
    assert (tmp_path / found["results"]).is_file()
    assert "6 points" in done.stderr


def test_the_other_commands_print_one_object(tmp_path):
    file, price = file_of(tmp_path, 60), "models.dear.price.usd_per_call=0.01:0.05"
    tuned = telex("tune", file, "--param", price, "--maximise", "models.dear.profit_micros",
                  "--trials", 4, "--reps", 1, "--json", cwd=tmp_path)  # fmt: skip
    assert tuned.returncode == 0, tuned.stderr
    assert json.loads(tuned.stdout)["best"][0]["parameters"]
    sensed = telex("sensitivity", file, "--param", price, "--points", 2, "--json", cwd=tmp_path)
    assert sensed.returncode == 0, sensed.stderr
    assert "success_rate" in json.loads(sensed.stdout)["metrics"]
    loaded = telex(
        "capacity", file, "--slo", "tasks.posted>=1", "--reps", 2, "--json", cwd=tmp_path
    )
    assert loaded.returncode == 0, loaded.stderr
    assert json.loads(loaded.stdout)["holds"] == 1024


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sweep", "--param", "router.flor=0.5,0.6"), "did you mean router.floor?"),
        (("sweep", "--param", "router.floor=1:0:3"), "empty range"),
        (("sweep", "--param", FLOORS, "--reps", "0"), "a whole number from 1"),
        (("sweep", "--param", FLOORS, "--workers", "0"), "a whole number from 1"),
        (("sweep", "--param", FLOORS, "--design", "cube"), "grid | sobol | lhs"),
        (("sweep", "--param", FLOORS, "--dask", "tcp://127.0.0.1:9"), "no Dask scheduler at"),
        (("tune", "--param", FLOORS, "--minimise", "sucess_rate"), "did you mean success_rate?"),
        (("tune", "--param", FLOORS), "at least one metric"),
        (("capacity", "--slo", "latency_us.p59<8s"), "did you mean latency_us.p9"),
        (("capacity", "--slo", "latency_us.p95<8 apples"), "a number in us"),
        (("sensitivity", "--param", FLOORS, "--method", "guess"), "morris | sobol"),
        (("compare",), "one and its --set variants"),
        (("compare", "--set", "router.floor=0.8", "--of", "spend"), "did you mean spend_micros?"),
    ],
)
def test_bad_input_ends_with_2_and_says_what_is_wrong(tmp_path, arguments, said):
    command, *rest = arguments
    done = telex(command, file_of(tmp_path), *rest, "--json", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert json.loads(done.stdout)["ok"] is False
    assert said in done.stderr
    assert not (tmp_path / "runs").exists()


def test_shares_are_read_with_and_without_percent():
    assert share_of("2%", "--x") == share_of("0.02", "--x") == 0.02
    with pytest.raises(ScenarioError, match="a share"):
        share_of("two", "--x")


@pytest.mark.parametrize(
    ("precision", "warm_up"), [("0", None), ("x%", None), (None, "soon"), (None, "-1")]
)
def test_replications_that_make_no_sense_are_refused(tmp_path, capsys, precision, warm_up):
    with pytest.raises(ScenarioError):
        replicated(capsys, file_of(tmp_path), 2, precision, None, warm_up)


def test_missing_libraries_are_named_with_the_command_that_gets_them(monkeypatch):
    from sim.experiment.sensitivity import indices
    from sim.experiment.space import Parameter, Space
    from sim.experiment.studies import Study
    from tests.experiment_helpers import small

    for name in ("optuna", "SALib.sample.morris"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ToolError, match=r"pip install 'telex\[tune\]'"):
        Study(Space(small(), [Parameter.parse(FLOORS)]), [], "k", "sqlite://", alone=True)
    with pytest.raises(ToolError, match=r"pip install 'telex\[sensitivity\]'"):
        indices(["a"], lambda _: {}, "morris", 2, 1)
