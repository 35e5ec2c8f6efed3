"""`telex explain`: what it says about a call is what the run did."""

import json

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from sim.cli.explaining import register
from sim.explaining import explain
from sim.facts import ScenarioError
from sim.routers import ROUTERS
from sim.runner import run
from tests.scenarios_for_tests import CHAT, group, lively, model, scenario
from tests.test_fallbacks import down, market, serving, taken_over
from tests.test_routers import REQUIRED
from tests.workflow_helpers import works

APP = typer.Typer()
register(APP)
APP.callback()(lambda: None)
CHEAP = {"kind": "per_call", "usd_per_call": 0.001}
PER_CALL = {"kind": "per_call", "usd_per_call": 0.005}


@pytest.fixture(scope="module", params=["leaderboard", "bandit", "market-share"])
def ended(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("explain") / "run"
    return run(lively(150, router={"kind": request.param}), out=out, chain="none")


def test_every_call_is_explained_by_the_same_pick(ended):
    for row in ended.calls[::13].iter_rows(named=True):
        found = explain(ended.directory, row["call_id"])
        by_name = {each.model: each for each in found.candidates}
        picked = by_name[found.pick]
        assert (found.pick, found.agent, found.intent) == (
            row["model"], row["agent"], row["intent"],
        )  # fmt: skip
        assert round((picked.quote_usd or 0) * 10**6) == row["quote_micros"]
        assert not picked.refused
        offered = {each.model for each in found.candidates if not each.refused}
        others = offered - {found.pick}
        assert found.best_alternative in others if others else found.best_alternative is None
        assert found.regret_usd >= 0
        assert list(by_name) == list(ended.scenario.models)


def test_what_was_not_on_offer_says_why(ended):
    reasons = {
        each.refused.split()[0]
        for call in range(0, ended.calls.height, 5)
        for each in explain(ended.directory, call).candidates
        if each.refused
    }
    assert {"down", "does"} <= reasons
    assert reasons <= {"down", "does", "full:", "quote", "context"}


def test_a_call_that_is_not_there_is_a_fault(ended, tmp_path):
    with pytest.raises(ScenarioError, match=r"--call: found 99999; allowed: a call from 0 to"):
        explain(ended.directory, 99_999)
    with pytest.raises(ScenarioError, match="no record"):
        explain(tmp_path, 0)


def test_the_command_for_people_and_for_programs(ended):
    done = CliRunner().invoke(APP, ["explain", str(ended.directory), "--call", "3", "--json"])
    document = json.loads(done.stdout)
    assert document["call"] == 3
    assert document["pick"] in {each["model"] for each in document["candidates"]}
    told = CliRunner().invoke(APP, ["explain", str(ended.directory), "--call", "3"])
    assert told.stdout == ""
    assert "picked" in told.stderr
    assert document["pick"] in told.stderr


@pytest.mark.parametrize("kind", ROUTERS)
def test_every_router_explains_itself(kind, tmp_path):
    made = lively(60, router={"kind": kind, **REQUIRED.get(kind, {})})
    ended = run(made, out=tmp_path / "run", chain="none")
    row = ended.calls.row(ended.calls.height * 2 // 3, named=True)
    found = explain(ended.directory, row["call_id"])
    assert found.pick == row["model"]
    assert found.router["kind"] == kind


@pytest.fixture(scope="module", params=["second-price", "double", "scoring", "reverse-first"])
def auctioned(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("explain") / "run"
    return run(lively(150, mechanism={"kind": request.param}), out=out, chain="none")


def test_bids_and_asks_of_a_call_are_those_of_the_record(auctioned):
    kind, waiting = auctioned.scenario.mechanism.kind, 0
    for row in auctioned.calls[::4].iter_rows(named=True):
        found = explain(auctioned.directory, row["call_id"])
        by_name = {each.model: each for each in found.candidates}
        assert (found.mechanism["kind"], found.pick) == (kind, row["model"])
        assert round(found.bid_usd * 10**6) == row["bid_micros"]
        assert round(found.held_usd * 10**6) == row["quote_micros"]
        if kind != "double":  # where a call may be served by another model than it waited at
            assert round((by_name[found.pick].ask_usd or 0) * 10**6) == row["ask_micros"]
        if kind in ("second-price", "double"):
            bids = found.waiting_bids_usd
            assert list(bids) == sorted(bids, reverse=True)
            waiting += len(bids)
    assert waiting > 0 or kind in ("scoring", "reverse-first")


def test_the_command_shows_bids_and_asks(auctioned):
    told = CliRunner().invoke(APP, ["explain", str(auctioned.directory), "--call", "3"])
    assert f"Mechanism: {auctioned.scenario.mechanism.kind}" in told.stderr
    assert "bids waiting there" in told.stderr
    assert "ask $" in told.stderr


def test_a_step_is_explained_among_all_calls_of_its_task(tmp_path):
    flow = {"plan": {}, "write": {"after": ["plan"], "clones": 2}}
    models = {name: model(quality={CHAT: 0.7}) for name in ("m", "n")}
    what = scenario(models, {"a": works(flow, session={"sticky": True})}, tasks=5)
    ended = run(what, out=tmp_path / "run", chain="none")
    row = ended.calls.filter(pl.col("step") == "write").row(0, named=True)
    found = explain(ended.directory, row["call_id"])
    assert (found.step, found.clone) == ("write", row["clone"])
    (other,) = (each for each in found.candidates if each.model != found.pick)
    assert other.refused.startswith("passed over by the agent")
    calls = ended.calls.filter(pl.col("task_id") == row["task_id"])["call_id"].to_list()
    assert [each.call for each in found.of_task] == calls
    told = CliRunner().invoke(APP, ["explain", str(ended.directory), "--call", str(row["call_id"])])
    assert "step write, clone" in told.stderr
    assert f"All calls of task {row['task_id']}" in told.stderr


@pytest.mark.parametrize("rules", [{}, {"mechanism": {"kind": "second-price"}}])
def test_a_call_that_took_over_is_explained_among_all_that_could_have(rules, tmp_path):
    models = serving(0.9, 0.8, 0.7)
    made = market(1, {**models, "m2": {**models["m2"], "price": CHEAP}}, down("m0"), **rules)
    ended = run(made, out=tmp_path / "run", chain="none")
    pair = taken_over(ended.saved.frames).row(0, named=True)
    lost, found = (explain(ended.directory, pair[name]) for name in ("call_id", "call_id_right"))
    assert (lost.stands_in_for, found.stands_in_for) == (None, lost.call)
    assert (lost.pick, found.pick) == ("m0", "m1")
    refused = {each.model: each.refused for each in found.candidates}
    assert refused == {"m0": "down", "m1": "", "m2": ""}
    assert found.best_alternative == "m2"
    told = CliRunner().invoke(APP, ["explain", str(ended.directory), "--call", str(found.call)])
    assert f"It stands in for call {lost.call}, lost to an outage." in told.stderr
    surplus = {each.model: each.expected_surplus_usd or 0.0 for each in found.candidates}
    assert found.regret_usd == pytest.approx(max(0.0, surplus["m2"] - surplus["m1"]))


def test_at_posted_prices_who_sells_by_its_cost_asks_what_it_lists(tmp_path):
    by_cost = {"cost": PER_CALL, "selling": {"kind": "cost-plus", "markup": 0.5}}
    what = scenario({"m": model(quality={CHAT: 0.9}, **by_cost)}, {"a": group(60)}, tasks=3)
    assert what.rail.fee_bps > 0
    ended = run(what, out=tmp_path / "run", chain="none")
    (found,) = explain(ended.directory, 0).candidates
    assert found.quote_usd == found.ask_usd == 0.0075
    assert ended.calls["ask_micros"].to_list() == [7_500] * 3
