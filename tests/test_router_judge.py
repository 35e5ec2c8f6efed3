"""A cascade whose own judge decides what is accepted: thresholds, errors, and what is paid."""

from pathlib import Path
from statistics import NormalDist

import pytest
from pydantic import ValidationError

from sim.chance import mix
from sim.facts import Reason
from sim.routers.pairs import Cascade, judge_of
from sim.runner import run
from sim.units import PPM
from tests.scenarios_for_tests import WRONG, group, lively, model, play, ran, record, scenario, task

TASKS = [task(draw=mix(number, 9, 0)) for number in range(4000)]
LADDER = {name: model(usd) for name, usd in (("a", "0.01"), ("b", "0.02"), ("c", "0.04"))}


def cascade(**changes: object) -> dict[str, object]:
    return {"kind": "cascade", "order": ["a", "b", "c"], **changes}


def test_a_judge_without_error_accepts_what_is_right() -> None:
    judge = Cascade(accept=(0.5,))
    for each in TASKS[:50]:
        assert judge.judged(each, 0, Reason.NONE) is Reason.NONE
        assert judge.judged(each, 0, Reason.WRONG) is Reason.WRONG


@pytest.mark.parametrize("error", [0.25, 0.5, 2.0])
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.9])
def test_a_judge_errs_as_a_normal_error_against_its_threshold(
    error: float, threshold: float
) -> None:
    judge, law = Cascade(accept=(threshold,), judge_error=error), NormalDist(0, error)
    doubted = sum(judge.judged(each, 0, Reason.NONE) is Reason.DOUBTED for each in TASKS)
    believed = sum(judge.judged(each, 0, Reason.WRONG) is Reason.BELIEVED for each in TASKS)
    for found, wanted in ((doubted, law.cdf(threshold - 1)), (believed, 1 - law.cdf(threshold))):
        spread = (wanted * (1 - wanted) / len(TASKS)) ** 0.5
        assert found / len(TASKS) == pytest.approx(wanted, abs=4 * spread + 1e-3)


def test_each_attempt_has_its_own_threshold_the_last_one_for_all_later() -> None:
    judge = Cascade(accept=(0.9, 0.2))
    scores = [(attempt, judge.accepts(TASKS[0], attempt, PPM // 2)) for attempt in range(4)]
    assert scores == [(0, False), (1, True), (2, True), (3, True)]


def test_errors_are_new_for_every_attempt_and_the_same_for_every_run() -> None:
    judge = Cascade(accept=(0.5,), judge_error=1.0)
    taken = [[judge.accepts(each, attempt, PPM) for each in TASKS[:400]] for attempt in (0, 1)]
    assert taken[0] != taken[1]
    assert taken[0] == [judge.accepts(each, 0, PPM) for each in TASKS[:400]]


def test_a_believed_wrong_answer_ends_the_task_and_is_paid() -> None:
    all_taken = cascade(accept=[0])
    frames = record(
        play(scenario(LADDER, {"a": group(retries=2)}, router=all_taken), [task(difficulty=WRONG)])
    )
    assert list(frames.calls["model"]) == ["a"]
    assert list(frames.calls["reason"]) == ["believed"]
    assert list(frames.calls["charge_micros"]) == [10_000]
    assert frames.tasks["outcome"].to_list() == ["failed"]


def test_a_doubted_right_answer_is_paid_and_asked_for_again_and_the_last_one_is_taken() -> None:
    never = Cascade(order=("a", "b", "c"), accept=(1,), judge_error=50.0)
    doubted = next(
        each for each in TASKS
        if not never.accepts(each, 0, PPM) and not never.accepts(each, 1, PPM)
    )  # fmt: skip
    for router, names, reasons in (
        (cascade(accept=[1], judge_error=50), "abc", ["doubted", "doubted", "none"]),
        (cascade(accept=[0.5]), "a", ["none"]),
    ):
        frames = record(play(scenario(LADDER, {"a": group(retries=2)}, router=router), [doubted]))
        assert "".join(frames.calls["model"]) == names
        assert list(frames.calls["reason"]) == reasons
        assert (frames.calls["charge_micros"] == frames.calls["quote_micros"]).all()
        assert frames.tasks["outcome"].to_list() == ["succeeded"]
        assert list(frames.calls["success"])[-1] in (1, True)


def test_the_budget_is_checked_again_for_the_model_that_bills() -> None:
    poor = {"a": group(retries=2, budget_usd="0.03")}
    wrong = task(difficulty=WRONG)
    frames = record(play(scenario(LADDER, poor, router=cascade(accept=[0.5])), [wrong]))
    assert list(frames.calls["model"]) == ["a", "b"]
    assert frames.tasks["reason"].to_list() == ["no_budget"]


@pytest.mark.parametrize("settle_on", ["delivered", "success"])
def test_a_run_with_a_poor_judge_keeps_the_laws(settle_on: str, tmp_path: Path) -> None:
    poor = {"kind": "cascade", "accept": [0.6, 0.4], "judge_error": 0.8}
    made = lively(200, router=poor, rail={"kind": "batch", "settle_on": settle_on})
    ended = run(made, out=tmp_path / "run", chain="none")
    assert ended.ok, ended.failure
    reasons = set(ran(made).calls["reason"])
    assert {"believed", "doubted"} <= reasons


def test_only_a_cascade_with_thresholds_judges() -> None:
    assert judge_of(Cascade()) is None
    assert judge_of(Cascade(accept=(0.5,))) is not None
    with pytest.raises(ValidationError):
        Cascade(accept=(1.5,))


def test_a_lenient_judge_lets_wrong_answers_pass_and_a_strict_one_pays_for_right_ones() -> None:
    rows = []
    for threshold in (0.05, 0.5, 0.95):
        router = cascade(accept=[threshold], judge_error=0.4)
        frames = ran(scenario(LADDER, {"a": group(600, retries=2)}, tasks=1500, router=router))
        spent = frames.calls["charge_micros"].sum()
        rows.append((spent, (frames.tasks["outcome"] == "succeeded").sum()))
    assert rows[0][0] < rows[1][0] < rows[2][0]
    assert rows[0][1] < rows[1][1] > rows[2][1]
