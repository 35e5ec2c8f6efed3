"""``telex verify``: its verdicts, its truths, its parameters, and what it does with bad input."""

import json
import math
import random

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from sim.cli import main
from sim.cli.commands import app
from sim.facts import Fault, ScenarioError
from sim.verify import running
from sim.verify.case import Found, Known
from sim.verify.readings import Service
from sim.verify.readings import chance as controls_of
from sim.verify.sized import Sized
from sim.verify.suite import FAMILIES, suite
from sim.verify.tenders import ExecutionContingent
from sim.verify.verdict import Verdict, estimated, judge, passes

SEVEN_SERVERS = ("erlang-c", "--set", "servers=7", "--set", "load=0.83", "--set", "tasks=400")


def values(mean: float, deviation: float, n: int = 20) -> list[float]:
    """Values of just this mean and standard error."""
    spread = deviation * math.sqrt(n) * math.sqrt((n - 1) / n)
    return [mean + spread * (-1) ** place for place in range(n)]


def word(known: Known, found: list[float]) -> str:
    return judge("case", known, found, []).word


def test_every_case_of_every_family_has_a_title_of_its_own() -> None:
    titles = [case.title for cases in FAMILIES.values() for case in cases]
    assert len(set(titles)) == len(titles)


def test_near_is_what_the_interval_covers() -> None:
    known = Known("x", "f", 1.0)
    assert word(known, values(1.0 + 2.0 * 0.01, 0.01)) == "near"
    assert word(known, values(1.0 + 2.2 * 0.01, 0.01)) == "off"
    assert word(known, values(1.0 - 3.9 * 0.01, 0.01)) == "off"
    assert word(known, values(1.0 - 4.1 * 0.01, 0.01)) == "fails"


def test_a_wide_interval_fails_even_if_it_covers() -> None:
    known = Known("x", "f", 1.0)
    assert word(known, values(1.0, 0.023)) == "near"
    assert word(known, values(1.0, 0.025)) == "fails"
    assert "half width" in judge("case", known, values(1.0, 0.025), []).reason


def test_without_chance_only_the_truth_itself_is_near() -> None:
    known = Known("x", "f", 1 / 3)
    assert word(known, [1 / 3] * 20) == "near"
    assert word(known, [1 / 3 + 1e-6] * 20) == "fails"


def test_exact_is_exact_in_every_replication() -> None:
    known = Known("x", "f", 7, "exact")
    assert word(known, [7.0] * 20) == "near"
    verdict = judge("case", known, [7.0] * 19 + [7.000001], [])
    assert (verdict.word, verdict.reason) == ("fails", "1 of 20 replications differ")


@pytest.mark.parametrize(("binding", "side"), [("at most", 1), ("at least", -1)])
def test_a_bound_is_kept_on_its_own_side(binding: str, side: int) -> None:
    known = Known("x", "f", 1.0, "at most" if binding == "at most" else "at least")
    for errors, expected in ((-30, "near"), (2, "near"), (3, "off"), (5, "fails")):
        assert word(known, values(1 + side * errors * 0.01, 0.01)) == expected


def test_control_variates_narrow_the_interval_and_keep_its_promise() -> None:
    chance = random.Random(1)
    covered, widths = 0, []
    for _ in range(400):
        controls = [[chance.gauss(0, 1), chance.gauss(0, 1)] for _ in range(20)]
        found = [3 + 2 * a - b + chance.gauss(0, 0.5) for a, b in controls]
        with_them, without = estimated(found, controls), estimated(found, [])
        assert with_them.half_width is not None
        assert without.half_width is not None
        covered += abs(with_them.mean - 3) <= with_them.half_width
        widths.append(with_them.half_width / without.half_width)
    assert 0.92 <= covered / 400 <= 0.98
    assert sum(widths) / 400 < 0.4


def test_a_control_that_is_not_zero_on_average_fails_whatever_it_explains() -> None:
    """With services that are all too long, the controls alone would put the answer right."""
    known, chance = Known("x", "f", 1.0), random.Random(1)
    for shift, expected in ((0.0, "near"), (0.02, "fails")):
        controls = [{"services": chance.gauss(shift, 0.01)} for _ in range(20)]
        found = [1 + 3 * each["services"] + chance.gauss(0, 0.001) for each in controls]
        verdict = judge("case", known, found, controls)
        assert verdict.word == expected
        assert verdict.reason.startswith("services are +") == bool(shift)


@pytest.mark.parametrize("servers", [1, 3])
@pytest.mark.parametrize("variance", [0.0, 1.0, 4.0])
def test_controls_are_zero_on_average(servers: int, variance: float) -> None:
    chance = np.random.default_rng(1)
    found: dict[str, list[float]] = {}
    for _ in range(400):
        posted = np.cumsum(chance.exponential(1 / (0.8 * servers), 2000))
        services = chance.gamma(1 / variance, variance, 2000) if variance else np.ones(2000)
        seconds = {"posted_us": posted, "started_us": posted, "finished_us": posted + services}
        calls = pl.DataFrame({name: np.round(each * 1e6) for name, each in seconds.items()})
        service = Service(variance=variance, servers=servers)
        for name, value in controls_of(calls, 0.8 * servers, service).items():
            found.setdefault(name, []).append(value)
    assert set(found) == {"gaps", "bunches", *(["services"] if variance else [])}
    for values_found in found.values():
        assert abs(np.mean(values_found)) < 4 * np.std(values_found) / 20
        assert np.std(values_found) < 0.5


def test_a_suite_passes_with_nine_tenths_near_and_none_that_fails() -> None:
    known = Known("x", "f", 1.0)
    near, off, fails = (
        Verdict("case", known, None, said) for said in ("near", "off", "fails")
    )  # fmt: skip
    assert passes([near] * 9 + [off])
    assert not passes([near] * 8 + [off] * 2)
    assert not passes([near] * 99 + [fails])


def test_a_setting_holds_for_every_case_that_has_it_and_leaves_out_the_rest() -> None:
    changed = [asked.case.title for asked in suite(["queues"], ["servers=7", "load=0.83"])]
    assert changed.count("erlang-c servers=7 load=0.83") == 1
    assert "m-m-1 load=0.83" in changed
    assert not any(title.startswith(("jackson", "priority")) for title in changed)
    known = suite(["erlang-c"], ["servers=7", "load=0.83"])[0].case.known()[0]
    offered = 7 * 0.83
    delayed = offered**7 / math.factorial(7) / (1 - 0.83)
    served = sum(offered**calls / math.factorial(calls) for calls in range(7))
    assert known.truth == pytest.approx(delayed / (served + delayed))


def test_a_load_that_asks_for_more_tasks_than_fit_has_more_replications() -> None:
    case = suite(["m-m-1"], ["load=0.95"])[0].case
    assert isinstance(case, Sized)
    assert (case.size, case.replications(20)) == (250_000, 60)
    assert case.wanted < 3 * 250_000
    own = suite(["m-m-1"], ["load=0.95", "tasks=5000"])[0].case
    assert isinstance(own, Sized)
    assert (own.size, own.replications(20)) == (5000, 20)


def test_a_case_that_cannot_take_a_setting_is_left_out_and_told_where_others_can() -> None:
    """Of a server that also has repairs to do, the load would be 1.045."""
    told: list[Fault] = []
    asked = {each.case.name for each in suite(["queues"], ["load=0.95"], told.append)}
    assert {"m-m-1", "m-m-c", "m-g-1", "erlang-c", "choices"} <= asked
    assert "breakdowns" not in asked
    assert [fault.path for fault in told] == ["--set of breakdowns"]
    with pytest.raises(ScenarioError, match="below 1"):
        suite(["breakdowns"], ["load=0.95"])
    with pytest.raises(ScenarioError, match="half_width"):
        suite(["queues"], ["load=0.7", "half_width=3"])


def test_a_load_beyond_what_runs_can_tell_says_how_much_it_takes() -> None:
    with pytest.raises(ScenarioError, match=r"16,324,453 are wanted\), or tasks=N"):
        suite(["m-m-1"], ["load=0.99"])
    assert suite(["m-m-1"], ["load=0.99", "tasks=300000"])[0].case.replications(20) == 20


def test_an_interval_that_is_too_wide_says_what_it_takes() -> None:
    found = judge("case", Known("x", "f", 1.0), [0.8, 1.0, 1.2, 1.0], [])
    half = found.estimate.half_width if found.estimate else None
    assert found.word == "fails"
    assert half is not None
    assert f"{(half / 0.05) ** 2:.1f} times the --reps" in found.reason


def test_all_faults_of_a_question_come_at_once_with_the_nearest_names() -> None:
    with pytest.raises(ScenarioError) as caught:
        suite(["queue", "erlang-c"], ["servrs=7", "load=1.2", "=3"])
    text = str(caught.value)
    for said in (
        "found queue;", "did you mean queues?", "found servrs;", "did you mean servers?",
        "found 1.2; allowed: a number above 0 and at most 0.99", "NAME=VALUE",
    ):  # fmt: skip
        assert said in text


def test_parameters_that_contradict_each_other_are_a_fault() -> None:
    with pytest.raises(ScenarioError, match=r"high \+ low below 1"):
        suite(["priority"], ["high=0.6"])
    with pytest.raises(ScenarioError, match=r"law.*found erlan; .*did you mean erlang\?"):
        suite(["m-g-1"], ["law=erlan"])


def test_a_tender_by_success_takes_as_many_tasks_as_show_both_answers() -> None:
    """Without one wrong answer nothing tells what they cost, and a model seems to earn more."""
    with pytest.raises(ScenarioError, match=r"tasks=2500 or more at right=0\.992"):
        suite(["execution-contingent"], ["right=0.992"])
    with pytest.raises(ScenarioError, match=r"tasks=667 or more at right=0\.03"):
        suite(["execution-contingent"], ["right=0.03", "tasks=666"])
    with pytest.raises(ScenarioError, match=r"allowed: a number .*0\.999"):
        suite(["execution-contingent"], ["right=0.9999999"])
    assert suite(["execution-contingent"], ["right=0.9", "tasks=200"])
    case = ExecutionContingent(right=0.992, tasks=2500)
    found, known = case.observe(1).values[0], case.known()[0]
    assert found == pytest.approx(known.truth, abs=known.unit)


def test_the_command_says_all_of_it_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--set", "room=3", "--set", "tasks=3000"]
    status = main(["verify", "m-m-1-k", "--json", "--workers", "1", *settings])
    document = json.loads(capsys.readouterr().out)
    (line,) = document["cases"]
    assert status == 0
    assert document["passed"] is True
    assert line["parameters"] == {"load": 0.8, "room": 3, "tasks": 3000}
    assert line["truth"] == pytest.approx(0.8**3 / (1 + 0.8 + 0.64 + 0.512))
    assert line["low"] <= line["truth"] <= line["high"]
    assert line["verdict"] == "near"


def test_the_command_shows_a_table_and_fails_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    """Four hundred tasks are far too few: the interval is wider than 5 %."""
    assert main(["verify", *SEVEN_SERVERS, "--workers", "1"]) == 1
    shown = capsys.readouterr()
    assert not shown.out
    for said in ("Erlang C(c, a)", "erlang-c servers=7 load=0.83", "fails", "NOT passed"):
        assert said in shown.err


def test_bad_input_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "queus", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["faults"][0]["hint"] == "did you mean queues?"
    assert main(["verify", "--reps", "19"]) == 2
    assert main(["verify", "--workers", "0", "m-m-1"]) == 2


def test_ctrl_c_ends_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = iter(range(3))

    def interrupted(_: running.Job) -> running.Ended:
        if next(done, None) is None:
            raise KeyboardInterrupt
        return running.Ended(Found([1.0]))

    monkeypatch.setattr(running, "perform", interrupted)
    assert main(["verify", "m-m-1-k", "--workers", "1"]) == 130
    assert "stopped after 3 replications" in capsys.readouterr().err


def test_help_names_the_command() -> None:
    assert "verify" in CliRunner().invoke(app, ["--help"]).output
