"""Calibration: what is fitted to a table that the simulator made is what made it."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sim.calibration import Calibration, calibrate, fit, simulated
from sim.calibration.checks import check, checks, correlation
from sim.calibration.fit import intents_of, names_of, yaml_text
from sim.calibration.response import response
from sim.calibration.sizes import costs_of
from sim.chance import stream
from sim.facts import ScenarioError
from sim.replay import Table
from sim.replay.table import joined
from sim.routers import ROUTERS
from sim.scenario import from_mapping, load
from sim.scenario.schema import Scenario
from tests.replay_helpers import answers, outcomes, table
from tests.scenarios_for_tests import ran

ONE = "CHAT_COMPLETION"


def world(discrimination: float = 2.5, tasks_seed: int = 1) -> Scenario:
    """Three models of different quality, price, and speed, and one group that asks two things."""

    def made(quality: float, usd: float, verbosity: float) -> dict[str, object]:
        return {
            "price": {"kind": "per_token", "input_usd_per_mtok": usd,
                      "output_usd_per_mtok": 4 * usd},
            "quality": {ONE: quality, "CODE_GENERATION": quality / 2},
            "verbosity": verbosity,
            "latency": {"first_token_ms": 500, "tokens_per_s": 40, "sigma": 0.2},
        }  # fmt: skip

    sizes = {"input_tokens": {"median": 900, "sigma": 0.6},
             "output_tokens": {"median": 300, "sigma": 0.5}}  # fmt: skip
    return from_mapping({
        "version": 1, "tasks": 10, "seed": tasks_seed, "name": "made",
        "item_response": {"discrimination": discrimination},
        "models": {"a": made(0.4, 0.5, 0.8), "b": made(0.6, 2, 1.0), "c": made(0.85, 9, 1.3)},
        "groups": {"all": {
            "count": 1, "arrival": {"kind": "poisson", "per_hour": 60},
            "intents": {ONE: {"share": 2} | sizes, "CODE_GENERATION": {"share": 1} | sizes},
            "budget_usd": 1000, "value_usd": 1, "max_price_usd": 10, "deadline_s": 1000,
        }},
    })  # fmt: skip


@pytest.fixture(scope="module")
def measured() -> Table:
    return simulated(world(), 3000)


@pytest.fixture(scope="module")
def found(measured: Table) -> Calibration:
    return calibrate(measured, routers=["cheapest", "by-domain"])


def test_a_simulated_table_is_complete_and_the_same_for_the_same_seed(measured: Table) -> None:
    again = simulated(world(), 3000)
    assert np.array_equal(again.success, measured.success)
    assert measured.models == ("a", "b", "c")
    assert measured.domains == ("CHAT_COMPLETION", "CODE_GENERATION")
    assert measured.cost_usd is not None
    assert again.cost_usd is not None
    assert np.array_equal(again.cost_usd, measured.cost_usd)
    assert not np.array_equal(simulated(world(tasks_seed=2), 3000).success, measured.success)
    renamed = simulated(world(), 50, ("z", "y", "x"))
    assert renamed.models == ("x", "y", "z")
    assert np.array_equal(renamed.success[:, 2], measured.success[:50, 0])


def test_the_fit_finds_the_parameters_that_made_the_table(found: Calibration) -> None:
    truth, made = world().models, found.fit.scenario().models
    assert found.fit.response.discrimination[0] == pytest.approx(2.5, rel=0.12)
    for name, model in truth.items():
        for intent, quality in model.quality.items():
            assert made[name].quality[intent] == pytest.approx(quality, abs=0.04)
        assert made[name].verbosity == pytest.approx(model.verbosity / (3.1 / 3), rel=0.03)
        assert made[name].latency.tokens_per_s == pytest.approx(40, rel=0.05)
        assert made[name].latency.sigma == pytest.approx(0.2, rel=0.05)
        price, other = model.price, made[name].price
        assert price.kind == other.kind == "per_token"
        assert float(other.input_usd_per_mtok) == pytest.approx(
            float(price.input_usd_per_mtok), rel=0.15
        )


def test_the_pool_behaves_like_the_measured_one_on_tasks_held_out(found: Calibration) -> None:
    kinds = {each.figure for each in found.held_out}
    assert kinds == {"success", "correlation", "cost_mean", "cost_deviation"}
    assert len(found.held_out) == 3 + 3 + 3 + 3
    assert all(each.ok for each in found.held_out), found.held_out
    assert found.needs == ()


def test_replay_on_a_simulated_table_agrees_with_replay_on_the_measured_one(
    found: Calibration,
) -> None:
    assert {each.of for each in found.replayed} >= {"oracle", "cheapest", "by-domain"}
    assert sum(not each.ok for each in found.replayed) <= 1, found.replayed


def test_the_written_file_is_a_scenario_and_can_be_extended(
    found: Calibration, tmp_path: Path
) -> None:
    (tmp_path / "catalog.yaml").write_text(found.yaml(), encoding="utf-8")
    read = load(tmp_path / "catalog.yaml")
    assert read.models == found.fit.scenario().models
    assert read.groups == found.fit.scenario().groups
    mine = "extends: catalog.yaml\nmodels: {d: {extends: a, verbosity: 2}}\ntasks: 50\n"
    (tmp_path / "mine.yaml").write_text(mine, encoding="utf-8")
    assert load(tmp_path / "mine.yaml").models["d"].verbosity == 2


def test_models_with_a_discrimination_and_a_spread_of_their_own_are_met() -> None:
    right, random = answers([0.5, 1.5, 4.0, 5.0], 2000), stream(2, "costs")
    sizes = random.standard_normal((2000, 1)) + random.standard_normal((2000, 4)) * 0.8
    made = replace(table(right.tolist()), cost_usd=1e-3 * np.exp(0.5 * sizes))
    found = calibrate(made)
    assert sum(not each.ok for each in found.held_out) <= 1, found.held_out
    models = list(found.fit.scenario().models.values())
    assert [m.discrimination is not None for m in models] == [True] * 4
    assert [m.output_sigma for m in models] == pytest.approx([0.4] * 4, abs=0.08)
    assert found.needs == ()
    logs = [np.log(each.cost_usd) for each in (made, found.simulation) if each.cost_usd is not None]
    one, other = (np.corrcoef(each.T)[0, 1] for each in logs)
    assert one == pytest.approx(other, abs=0.08)


def test_a_fit_with_one_discrimination_for_all_would_be_told() -> None:
    made = table(answers([0.5, 1.5, 4.0, 5.0], 3000).tolist())
    which = np.zeros(3000, np.int64)
    common = response(made.success, which, 1, common=True)
    changes: dict[str, object] = {}
    for at, model in enumerate(made.models):
        changes[f"models.{model}.quality"] = {"TASK_COMPLETION": float(common.quality[0, at])}
        changes[f"models.{model}.discrimination"] = float(common.discrimination[0])
    again = simulated(from_mapping(fit(made).document, changes), 9000, made.models)
    assert any(not each.ok for each in checks(made, again))


def test_tables_are_joined_as_if_they_had_been_one(measured: Table) -> None:
    parts = [measured.take(np.flatnonzero(np.arange(3000) % 3 == part)) for part in range(3)]
    whole = joined(parts)
    assert len(whole.tasks) == len(set(whole.tasks)) == 3000
    assert whole.success.sum() == measured.success.sum()
    assert whole.domains == measured.domains
    assert np.bincount(whole.domain).tolist() == np.bincount(measured.domain).tolist()
    assert whole.latency_s is not None


def test_graded_scores_move_the_quality_to_their_mean() -> None:
    made = outcomes(1000, 2)
    made = replace(made, domains=("",), domain=np.zeros(1000, np.int64),
                   success=0.1 + 0.8 * made.success)  # fmt: skip
    assert fit(made).response.quality[0] == pytest.approx(made.success.mean(axis=0), abs=0.01)


def test_small_domains_share_an_intent() -> None:
    domain = np.array([0] * 40 + [1] * 5 + [2] * 50 + [3] * 6)
    made = replace(table([[1.0]] * 101), domains=("Law & order", "b", "3d", "d"), domain=domain)
    which, names = intents_of(made, ONE)
    assert names == ("LAW_ORDER", "INTENT_3D", "OTHER_TASK")
    assert np.bincount(which).tolist() == [40, 50, 11]
    assert intents_of(table([[1.0]] * 60), ONE)[1] == (ONE,)


def test_names_fit_a_scenario_and_stay_apart() -> None:
    assert names_of(["a/b c", "a b/c", "ü", "1.5"]) == ["a-b-c", "a-b-c_2", "model", "1.5"]


def test_yaml_quotes_what_it_would_take_for_something_else() -> None:
    text = yaml_text({"null": 1, "a": {"1e5": "true", "b": [1, "x y"]}}, ["head"])
    assert text == '# head\n"null": 1\na:\n  "1e5": "true"\n  b: [1, "x y"]\n'


def test_charges_of_a_few_micros_are_not_biased_by_rounding_up() -> None:
    cost = 4e-6 * np.exp(0.5 * stream(9, "tiny").standard_normal((4000, 1)))
    again = simulated(fit(replace(table([[1.0], [0.0]] * 2000), cost_usd=cost)).scenario(5), 9000)
    assert again.cost_usd is not None
    assert again.cost_usd.mean() == pytest.approx(cost.mean(), rel=0.05)


def test_a_simulated_table_holds_the_answers_that_a_run_gives() -> None:
    made = world().model_copy(update={"router": ROUTERS["cheapest"](), "tasks": 200})
    calls, outcomes_ = ran(made).calls.sort("task_id"), simulated(world(), 200)
    assert (calls["model"] == "a").all()
    assert calls["success"].cast(float).to_list() == outcomes_.success[:, 0].tolist()
    assert outcomes_.cost_usd is not None
    charges = np.rint(outcomes_.cost_usd[:, 0] * 1e6).astype(int)
    assert calls["charge_micros"].to_list() == charges.tolist()


@pytest.mark.parametrize("spread", [0.0, 0.15, 0.6, 1.5])
def test_costs_have_their_mean_and_spread_without_any_tokens(spread: float) -> None:
    random = stream(3, "costs", str(spread))
    normal = random.standard_normal(4000)
    spreads = np.array([spread, 0.5])
    cost = np.exp(np.outer(normal, spreads)) * np.array([2e-4, 5e-3])
    made = replace(table([[1.0, 0.0], [0.0, 1.0]] * 2000), cost_usd=cost)
    again = simulated(fit(made).scenario(5), 20_000).cost_usd
    assert again is not None
    for one, other in zip(cost.T, again.T, strict=True):
        assert other.mean() == pytest.approx(one.mean(), rel=0.05)
        assert other.std() == pytest.approx(one.std(), rel=0.15, abs=1e-6)


def test_a_table_without_costs_has_free_models() -> None:
    made = fit(outcomes(200, 2).take(np.arange(200)))
    assert made.costs.per_call == [None, None]
    bare = fit(replace(outcomes(200, 2), cost_usd=None, input_tokens=None))
    assert bare.costs.per_call == [0.0, 0.0]
    assert bare.costs.nominal


def test_a_check_has_a_tolerance_or_two_standard_errors() -> None:
    assert check("x", "y", 1.0, 1.04, 0.0, 0.05).ok
    assert check("x", "y", 1.0, 1.19, 0.1, 0.05).ok
    assert not check("x", "y", 1.0, 1.21, 0.1, 0.05).ok


def test_the_error_of_a_correlation_is_right_for_normal_values() -> None:
    random = stream(6, "r")
    one, noise = random.standard_normal((2, 100_000))
    r, deviation = correlation(one, 0.6 * one + 0.8 * noise)
    assert r == pytest.approx(0.6, abs=0.01)
    assert deviation == pytest.approx(1 - 0.36, rel=0.02)


def test_too_few_tasks_are_a_fault() -> None:
    with pytest.raises(ScenarioError, match="at least 50"):
        calibrate(outcomes(49))


def test_costs_of_the_measured_tokens_are_kept(measured: Table) -> None:
    costs = costs_of(measured, measured.domain, 2)
    assert not costs.nominal
    assert measured.output_tokens is not None
    ratios = measured.output_tokens.mean(axis=0) / costs.verbosity
    assert all(a == pytest.approx(b) for a, b in pairwise(ratios))
