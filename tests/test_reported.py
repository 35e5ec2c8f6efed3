"""What was reported of a real market, beside what a run gives, and the error between the two."""

from pathlib import Path

import pytest

from sim.cli.summary import show_summary
from sim.metrics import figures
from sim.runner import run
from tests.bad_scenarios import faults_of
from tests.scenarios_for_tests import model, play, record, scenario, task

MODELS = {
    "cn": model("0.01", origin="CN"),
    "us": model("0.02", origin="US"),
    "eu": model("0.03", origin="EU"),
}
HOURS = {"from_h": 0, "to_h": 2, "share_tokens": 0.4}
REPORTED: dict[str, object] = {
    "all": {**HOURS, "origin": "CN", "fitted": True},
    "two": {**HOURS, "origin": "CN", "among": ["CN", "US"]},
    "later": {**HOURS, "origin": "US", "from_h": 1},
    "never": {**HOURS, "origin": "US", "from_h": 1.5},
}
EVENTS = [
    {"at_h": 0.5, "set": {"router.model": "us"}},
    {"at_h": 0.9, "set": {"router.model": "eu"}},
    {"at_h": 1, "set": {"router.model": "us"}},
]


def test_the_error_is_the_runs_share_less_the_reported_one() -> None:
    what = scenario(
        MODELS, router={"kind": "single", "model": "cn"}, events=EVENTS, reported=REPORTED
    )
    sizes = ((60, 900), (1900, 1900), (3300, 100), (3700, 4900))
    tasks = [task(at, input_tokens=tokens) for at, tokens in sizes]
    found = figures(record(play(what, tasks))).reported
    assert found["all"].share_tokens == 1000 / 8200
    assert found["two"].share_tokens == 1000 / 8000
    assert found["two"].error == pytest.approx(1 / 8 - 0.4)
    assert found["later"].share_tokens == 1.0
    assert (found["never"].share_tokens, found["never"].error) == (None, None)
    assert (found["all"].fitted, found["two"].fitted) == (True, False)


def test_what_was_reported_changes_no_run() -> None:
    plain, with_it = scenario(MODELS), scenario(MODELS, reported=REPORTED)
    assert plain.scenario_hash() == with_it.scenario_hash()


def test_people_see_both_and_the_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    two = {"two": REPORTED["two"]}
    what = scenario(MODELS, router={"kind": "random"}, reported=two)
    ended = run(what, chain="none", out=tmp_path / "run")
    show_summary(ended.summary, ended.scenario, None, False)
    shown = capsys.readouterr().err
    assert "As reported of a real market" in shown
    assert "40.0" in shown


def test_faults_of_what_was_reported_are_found_with_their_paths() -> None:
    what = scenario(MODELS).model_dump(mode="json", exclude_none=True)
    what["reported"] = {
        "a": {**HOURS, "origin": "CM"},
        "b": {**HOURS, "origin": "CN", "among": ["CN", "USA"]},
        "c": {**HOURS, "origin": "CN", "from_h": 30, "to_h": 40},
    }
    faults = {fault.path: fault for fault in faults_of(what)}
    assert set(faults) == {"reported.a.origin", "reported.b.among", "reported.c.from_h"}
    what["reported"] = {"d": {**HOURS, "origin": "CN", "to_h": 0, "share_tokens": 2}}
    assert {fault.path for fault in faults_of(what)} == {"reported.d.share_tokens"}
    what["reported"] = {"d": {**HOURS, "origin": "CN", "to_h": 0}}
    assert {fault.path for fault in faults_of(what)} == {"reported.d"}
