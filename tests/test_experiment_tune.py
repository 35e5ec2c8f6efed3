"""Tuning on a known optimum, Pareto fronts, sensitivity on Ishigami's function, capacity."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from sim.experiment.capacity import capacity, per_hour
from sim.experiment.capacity import plan as capacity_plan
from sim.experiment.conditions import Condition, Objective, objectives, one_objective
from sim.experiment.sensitivity import indices, sensitivity
from sim.experiment.sensitivity import plan as sensitivity_plan
from sim.experiment.session import opened
from sim.experiment.space import Parameter, Space
from sim.experiment.studies import Study
from sim.experiment.tune import Question, Tuned, tune
from sim.facts import ScenarioError, ToolError
from sim.scenario import Scenario
from tests.experiment_helpers import small
from tests.scenarios_for_tests import CHAT, demand, group, model, scenario

PRICE = "models.flat.price.usd_per_call"


def two_models(tasks: int, seed: int = 11) -> Scenario:
    """A model with a price per call against one paid per token, and a router that buys cheapest."""
    sizes = {
        CHAT: demand(input_tokens={"median": 1}, output_tokens={"median": 10_000, "sigma": 0.25})
    }
    per_token = {"kind": "per_token", "input_usd_per_mtok": 0, "output_usd_per_mtok": 5}
    room = {"capacity": {"slots": 10_000, "queue": 0}}
    return scenario(
        {"flat": model("0.05", **room), "metered": model(price=per_token, **room)},
        {"a": group(600, intents=sizes, budget_usd=1_000_000, max_price_usd=100)},
        tasks=tasks, seed=seed, router={"kind": "cheapest"},
    )  # fmt: skip


def tuned(question: Question, out, trials: int, url: str | None = None) -> Tuned:
    with opened(question.experiment(), out, 1) as session:
        return tune(question, question.study(session, url), session, trials)


def question(what: Scenario, *params: str, reps: int = 1, **aims) -> Question:
    space = Space(what, [Parameter.parse(text) for text in params])
    wanted = objectives(aims.get("minimise", ()), aims.get("maximise", ()), what)
    kept = [Condition.parse(text, what, "--subject-to") for text in aims.get("subject_to", ())]
    return Question(space, wanted, kept, reps)


@pytest.mark.timeout(600)
def test_tuning_finds_the_best_price_against_the_pool_within_two_percent(tmp_path):
    """The best price per call against a model that charges b per token.

    A task's reference answer has L tokens, ln L normal with mean ln m and deviation s. The router
    buys the cheaper: the priced-per-call model is chosen when p < b L. Its share of the tasks is

        D(p) = P(L > p / b) = 1 - Phi(z),   z = ln(p / (b m)) / s,

    and with no marginal cost its profit per task is p D(p). The derivative

        D(p) + p D'(p) = 1 - Phi(z) - phi(z) / s

    is zero where the normal hazard phi(z) / (1 - Phi(z)) equals s; the hazard rises, so there is
    one such z, and p* = b m exp(s z). For b = 5 dollars a million, m = 10,000, s = 1/4:
    z = -1.106 and p* = 0.03792 dollars.
    """
    sigma, reference = 0.25, 0.05
    z = brentq(lambda x: norm.pdf(x) / norm.sf(x) - sigma, -5, 5)
    best = reference * math.exp(sigma * z)
    assert best == pytest.approx(0.03792, abs=1e-5)
    asked = question(two_models(1500), f"{PRICE}=0.01:0.1",
                     maximise=["models.flat.profit_micros"], reps=3)  # fmt: skip
    found = tuned(asked, tmp_path, 36)
    assert found.best[0].point[PRICE] == pytest.approx(best, rel=0.02)
    assert len(found.trials) == 36
    profit = found.best[0].metrics["models.flat.profit_micros"].mean
    exact = 1500 * best * 1e6 * norm.sf(z) * 0.98  # less the fee
    assert profit == pytest.approx(exact, rel=0.02)


def test_a_study_goes_on_where_it_stopped_and_keeps_its_rows(tmp_path):
    asked = question(two_models(60), f"{PRICE}=0.01:0.1", maximise=["models.flat.profit_micros"])
    tuned(asked, tmp_path, 6)
    rows = (tmp_path / "rows.jsonl").read_bytes()
    found = tuned(asked, tmp_path, 10)
    assert len(found.trials) == 10
    assert (tmp_path / "rows.jsonl").read_bytes().startswith(rows)


def test_a_trial_that_nobody_ends_is_tried_again_with_the_rows_that_it_had(tmp_path):
    asked = question(two_models(60), f"{PRICE}=0.01:0.1", maximise=["models.flat.profit_micros"])
    with opened(asked.experiment(), tmp_path, 1) as session:
        study = asked.study(session, None)
        dead = study.ask(None, 2, 8)
    found = tuned(asked, tmp_path, 8)
    tried = [trial.point for trial in found.trials]
    assert all(outcome.point in tried for outcome in dead)
    assert len(found.trials) == 8


def test_two_directories_share_a_study_through_one_storage(tmp_path):
    asked = question(two_models(60), f"{PRICE}=0.01:0.1", maximise=["models.flat.profit_micros"])
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    assert len(tuned(asked, tmp_path / "a", 4, url).trials) == 4
    assert len(tuned(asked, tmp_path / "b", 7, url).trials) == 7


def test_a_condition_is_kept(tmp_path):
    # The floor buys quality: below .6 everything goes to the cheap model, which solves 70 %.
    asked = question(small(200, router={"kind": "quality-floor", "floor": 0.1}),
                     "router.floor=0.1,0.3,0.8,0.85", minimise=["cost_per_success_micros"],
                     subject_to=["success_rate>=85%"])  # fmt: skip
    found = tuned(asked, tmp_path, 10)
    assert found.best[0].point["router.floor"] >= 0.8
    assert found.best[0].metrics["success_rate"].mean >= 0.85
    assert any(not trial.feasible for trial in found.trials)


def test_a_condition_that_nothing_keeps_leaves_no_best(tmp_path):
    asked = question(small(60), "router.floor=0.1:0.9", minimise=["spend_micros"],
                     subject_to=["success_rate>=1.5"])  # fmt: skip
    assert tuned(asked, tmp_path, 8).best == []


def test_two_objectives_have_a_front_that_nothing_beats(tmp_path):
    asked = question(two_models(100), f"{PRICE}=0.01:0.1", minimise=["spend_micros"],
                     maximise=["models.flat.profit_micros"])  # fmt: skip
    found = tuned(asked, tmp_path, 16)
    spends = [trial.metrics["spend_micros"].mean for trial in found.best]
    profits = [trial.metrics["models.flat.profit_micros"].mean for trial in found.best]
    assert len(found.best) >= 2
    assert spends == sorted(spends)
    assert profits == sorted(profits)
    for trial in found.trials:
        spend = trial.metrics["spend_micros"].mean
        profit = trial.metrics["models.flat.profit_micros"].mean
        assert not any(spend < s and profit > p for s, p in zip(spends, profits, strict=True))


def test_an_objective_without_a_value_fails_its_trial_and_no_other(tmp_path):
    # A maximum price of nothing buys nothing: there is no cost per success.
    asked = question(small(30), "groups.a.max_price_usd=0.001,0.5",
                     minimise=["cost_per_success_micros"])  # fmt: skip
    found = tuned(asked, tmp_path, 8)
    assert found.failed > 0
    assert found.best[0].point["groups.a.max_price_usd"] == 0.5


def test_an_objective_that_is_no_metric_is_refused_with_the_nearest():
    with pytest.raises(ScenarioError) as refused:
        question(small(), "router.floor=0:1", minimise=["cost_per_sucess_micros"])
    assert refused.value.faults[0].hint == "did you mean cost_per_success_micros?"
    with pytest.raises(ScenarioError, match="at least one metric"):
        question(small(), "router.floor=0:1")
    with pytest.raises(ScenarioError, match="each metric once"):
        question(small(), "router.floor=0:1", minimise=["spend_micros"], maximise=["spend_micros"])
    with pytest.raises(ScenarioError, match="METRIC<LIMIT"):
        Condition.parse("success_rate 0.9", small(), "--subject-to")
    with pytest.raises(ScenarioError, match="both"):
        one_objective("spend_micros", "success_rate", [small()])


def test_a_storage_out_of_reach_or_of_another_question_is_refused(tmp_path):
    space = Space(small(), [Parameter.parse("router.floor=0:1")])
    aims = [Objective("spend_micros", False)]
    with pytest.raises(ToolError, match="cannot be used"):
        Study(space, aims, "k" * 64, f"sqlite:///{tmp_path}/no/such/folder.db", alone=True)
    url = f"sqlite:///{tmp_path}/study.db"
    Study(space, aims, "k" * 64, url, alone=True)
    with pytest.raises(ScenarioError, match="another question"):
        Study(space, aims, "k" * 8 + "j" * 56, url, alone=True)


def ishigami(points: Sequence[Sequence[float]]) -> dict[str, Sequence[float]]:
    x = np.asarray(points) * 2 * math.pi - math.pi
    return {"y": np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])}


def test_sobols_indices_of_ishigamis_function():
    # Ishigami and Homma (1990), a = 7, b = .1: S1 .3139, .4424, 0; ST .5576, .4424, .2437.
    found = indices(["x1", "x2", "x3"], ishigami, "sobol", 1024, 1)[0]
    for name, first, total in (("x1", 0.3139, 0.5576), ("x2", 0.4424, 0.4424), ("x3", 0, 0.2437)):
        for symbol, exact in (("S1", first), ("ST", total)):
            index = found.of[name][symbol]
            assert index.value == pytest.approx(exact, abs=0.03)
            assert abs(index.value - exact) <= 2 * index.half_width
            assert index.half_width < 0.15
    assert found.runs == 1024 * 5


def test_morris_screens_ishigamis_function_and_finds_what_does_nothing():
    def evaluate(points):
        return {"y": ishigami([point[:3] for point in points])["y"]}

    found = indices(["x1", "x2", "x3", "idle"], evaluate, "morris", 64, 1)[0].of
    assert found["idle"]["mu_star"].value == 0
    assert min(found[name]["mu_star"].value for name in ("x1", "x2", "x3")) > 1
    assert found["x3"]["mu"].half_width > 0


def test_a_constant_depends_on_nothing():
    found = indices(["a"], lambda points: {"y": [3.0] * len(points)}, "sobol", 4, 1)[0]
    assert found.of["a"]["ST"].value == 0


def test_the_sensitivity_of_a_scenario_names_the_price_that_matters(tmp_path):
    params = ["models.dear.price.usd_per_call=0.01:0.05", "models.cheap.price.usd_per_call=0:0.005"]
    space = Space(small(60, router={"kind": "quality-floor", "floor": 0.8}),
                  [Parameter.parse(text) for text in params])  # fmt: skip
    experiment = sensitivity_plan(space, ["spend_micros"], "morris", 4, 1)
    with opened(experiment, tmp_path, 1) as session:
        found = sensitivity(space, ["spend_micros"], session, "morris", 4)[0]
    dear, cheap = (found.of[space.parameters[at].path]["mu_star"].value for at in (0, 1))
    assert dear == pytest.approx(60 * 0.04 * 1e6, rel=1e-4)
    assert cheap == 0


@pytest.mark.parametrize(
    ("method", "points", "path"),
    [("anova", 4, "--method"), ("sobol", 12, "--points"), ("morris", 1, "--points")],
)
def test_a_sensitivity_that_makes_no_sense_is_refused(method, points, path):
    with pytest.raises(ScenarioError) as refused:
        indices(["a"], ishigami, method, points, 1)
    assert refused.value.faults[0].path == path


def test_capacity_brackets_the_load_of_an_erlang_loss_system(tmp_path):
    """One slot, no queue, service exactly 1 s: lost a / (1 + a) at load a (Erlang B, insensitive).

    The scenario has a = 1/10; 20 % are lost at a = 1/4, which is 2.5 times as much.
    """
    one = model(capacity={"slots": 1, "queue": 0}, quality={CHAT: 0.999999})
    what = scenario({"m": one}, {"a": group(360)}, tasks=3000)
    slo = Condition.parse("tasks.rejected<=600", what, "--slo")
    with opened(capacity_plan(what, slo), tmp_path, 2) as session:
        found = capacity(what, slo, session, reps=2, tolerance=0.05)
    assert found.holds is not None
    assert found.fails is not None
    assert found.fails / found.holds <= 1.05
    assert found.holds * 0.95 <= 2.5 <= found.fails * 1.05
    assert {probe.verdict for probe in found.probes if probe.load >= 2} == {"overloaded"}
    assert per_hour(what) == 360


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("slo", "side"), [("tasks.posted>1", "holds"), ("tasks.posted<1", "fails")]
)
def test_a_condition_that_always_or_never_holds_has_one_side(tmp_path, slo, side):
    what = small(20)
    condition = Condition.parse(slo, what, "--slo")
    with opened(capacity_plan(what, condition), tmp_path, 1) as session:
        found = capacity(what, condition, session, reps=2)
    assert getattr(found, side) is not None
    assert (found.holds is None) == (side == "fails")
    assert (found.fails is None) == (side == "holds")
