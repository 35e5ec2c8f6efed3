"""Events: what changes at a time, for whom, and what stays as it was (law 6 among it)."""

import json
from pathlib import Path

import polars as pl
import pytest

from sim.experiment.measures import measures
from sim.explaining import explain
from sim.laws import Evidence, check
from sim.metrics import figures
from sim.record.archive import load, save
from sim.record.frames import Frames
from sim.runner import run
from sim.scenario import Scenario
from sim.scenario.phases import phases
from sim.units import US_PER_HOUR
from sim.world import World
from tests.scenarios_for_tests import (
    CHAT,
    CODE,
    RIGHT,
    WRONG,
    demand,
    group,
    lively,
    model,
    play,
    ran,
    record,
    scenario,
    task,
    token_model,
)

Event = dict[str, object]
H = US_PER_HOUR


def two(*events: Event, **changes: object) -> Scenario:
    """A dear and a cheap model of equal quality, one group of each intent's agents."""
    models = {
        "dear": model("0.02", origin="US", owner="acme", quality={CHAT: 0.7, CODE: 0.6}),
        "mean": model("0.01", origin="CN", quality={CHAT: 0.7, CODE: 0.5}),
    }
    groups = {"a": group(30, count=2), "b": group(30, intents={CODE: demand(5), CHAT: demand()})}
    rules: dict[str, object] = {"router": {"kind": "cheapest"}, "events": list(events)}
    return scenario(models, groups, **(rules | changes))


def laws_of(world: World, frames: Frames) -> dict[str, bool]:
    found = figures(frames)
    evidence = Evidence.gather(frames, found, figures(frames), None, world.ledger)
    return {name: law.ok for name, law in check(evidence).items()}


def by_hour(frames: Frames, *columns: str) -> pl.DataFrame:
    return frames.calls.with_columns(hour=pl.col("posted_us") // H).group_by("hour", *columns).len()


ALL: list[Event] = [
    {"at_h": 2, "set": {"router": {"kind": "leaderboard"}, "validators.noise": 0.1}},
    {"at_h": 3, "kind": "price", "model": "dear", "factor": 0.25},
    {"at_h": 4, "kind": "deprecation", "model": "mean", "for_h": 1},
    {"at_h": 5, "kind": "brownout", "model": "dear", "for_h": 2, "slower": 3},
    {"at_h": 6, "kind": "outage", "model": "dear", "for_h": 0.5},
    {"at_h": 7, "kind": "surge", "factor": 4, "for_h": 2, "groups": ["a"]},
    {"at_h": 9, "kind": "fee", "fee_bps": 700},
    {"at_h": 10, "kind": "ban", "origin": "CN", "groups": ["b"]},
    {"at_h": 11, "kind": "closure", "owner": "acme", "groups": ["a"]},
    {"at_h": 12, "kind": "export-control", "origin": "CN", "capacity_factor": 0.1},
    {"at_h": 13, "set": {"rail.settle_on": "success", "groups.b.max_price_usd": "0.001"}},
    {"at_h": 14, "set": {"groups.b.intents": {CODE: demand(1, 0.5), CHAT: demand(2, 0.5)},
                         "groups.b.max_price_usd": 1, "groups.b.value_usd": 0.9}},
]  # fmt: skip


def test_a_run_with_every_kind_of_event_keeps_the_laws_and_its_digest() -> None:
    what = two(*ALL)
    worlds = [World(what), World(Scenario.model_validate(json.loads(what.model_dump_json())))]
    records = []
    for world in worlds:
        world.run()
        records.append(record(world))
    assert laws_of(worlds[0], records[0]) == dict.fromkeys(laws_of(worlds[0], records[0]), True)
    assert records[0].digest == records[1].digest
    assert len(phases(what)) == 12


def test_without_events_there_is_one_phase_and_it_is_the_scenario() -> None:
    what = two()
    assert [phase.scenario for phase in phases(what)] == [what]
    assert phases(what).first is what


def test_a_phase_is_in_force_from_its_microsecond_on() -> None:
    every = phases(two({"at_h": 1, "set": {"rail.fee_bps": 5}}))
    assert [every.at(time).rail.fee_bps for time in (0, H - 1, H, 23 * H)] == [200, 200, 5, 5]
    assert every.of(pl.Series([0, H - 1, H]).to_numpy()).tolist() == [0, 0, 1]


def test_an_event_for_a_time_ends_and_those_in_between_stay() -> None:
    every = phases(
        two(
            {"at_h": 1, "kind": "price", "model": "dear", "factor": 0.5, "for_h": 4},
            {"at_h": 2, "set": {"models.dear.price.usd_per_call": "0.008"}, "for_h": 1},
            {"at_h": 2.5, "set": {"models.dear.capacity.slots": 7}},
        )
    )
    prices = [each.scenario.models["dear"].price for each in every]
    of_call = [price.usd_per_call for price in prices if price.kind == "per_call"]
    assert list(map(float, of_call)) == [0.02, 0.01, 0.008, 0.008, 0.01, 0.02]
    assert [each.scenario.models["dear"].capacity.slots for each in every] == [100] * 3 + [7] * 3


def test_the_cheapest_changes_with_the_price_at_its_time() -> None:
    frames = ran(two({"at_h": 6, "set": {"models.dear.price.usd_per_call": "0.005"}}))
    late = frames.calls["posted_us"] >= 6 * H
    assert set(frames.calls.filter(~late)["model"]) == {"mean"}
    assert set(frames.calls.filter(late)["model"]) == {"dear"}
    assert set(frames.calls.filter(late)["charge_micros"]) == {5000}


def test_a_call_is_charged_what_it_was_quoted_though_the_price_has_changed() -> None:
    slow = model("0.01", latency={"first_token_ms": 10_000, "tokens_per_s": 1e9, "sigma": 0})
    for factor, charges in ((3, [10_000, 30_000]), (0.5, [10_000, 5_000])):
        event = {"at_h": 0.001, "kind": "price", "model": "m", "factor": factor}
        frames = record(play(scenario({"m": slow}, events=[event]), [task(0), task(5)]))
        assert frames.calls["charge_micros"].to_list() == charges


def test_an_answer_longer_than_was_quoted_is_charged_the_quote() -> None:
    slots = {"slots": 1, "queue": 5}
    timing = {"first_token_ms": 10_000, "tokens_per_s": 1e9, "sigma": 0}
    talker = token_model(capacity=slots, latency=timing, wrong_output_factor=1)
    event = {"at_h": 0.001, "set": {"models.m.verbosity": 50}}
    tasks = [task(0), task(1, difficulty=WRONG), task(5)]
    calls = record(play(scenario({"m": talker}, events=[event]), tasks)).calls
    assert calls["output_tokens"].to_list() == [100, 5000, 5000]
    assert calls["charge_micros"].to_list() == [1200, 1200, 11_000]
    assert calls["quote_micros"].to_list() == [1200, 1200, 11_000]


def test_the_fee_is_that_of_the_time_at_which_a_call_ends() -> None:
    slow = model("0.01", latency={"first_token_ms": 10_000, "tokens_per_s": 1e9, "sigma": 0})
    what = scenario({"m": slow}, events=[{"at_h": 0.001, "kind": "fee", "fee_bps": 1000}])
    world = play(what, [task(0), task(5)])
    frames = record(world)
    assert frames.calls["fee_micros"].to_list() == [1000, 1000]
    before = play(what, [task(0, difficulty=RIGHT)], stop_s=3)
    assert before.history.interrupted
    assert world.ledger.of_treasury == 2000


def test_a_release_is_on_offer_from_its_time_and_a_deprecation_until_its_time() -> None:
    frames = ran(
        two(
            {"at_h": 4, "kind": "release", "model": "mean"},
            {"at_h": 9, "kind": "deprecation", "model": "mean"},
        )
    )
    hours = frames.calls.filter(pl.col("model") == "mean")["posted_us"] // H
    assert set(hours) == {4, 5, 6, 7, 8}


def test_a_deprecated_model_answers_whom_it_has() -> None:
    slow = model("0.01", latency={"first_token_ms": 10_000, "tokens_per_s": 1e9, "sigma": 0})
    event = {"at_h": 0.001, "kind": "deprecation", "model": "m"}
    frames = record(play(scenario({"m": slow}, events=[event]), [task(0), task(5)]))
    assert frames.tasks["reason"].to_list() == ["none", "no_model"]


def test_an_outage_ends_the_calls_there_and_sends_the_others_elsewhere() -> None:
    frames = ran(two({"at_h": 4, "kind": "outage", "model": "mean", "for_h": 2}))
    during = frames.calls.filter(pl.col("posted_us").is_between(4 * H, 6 * H))
    assert set(during["model"]) == {"dear"}
    assert set(frames.calls.filter(pl.col("posted_us") > 6 * H)["model"]) == {"mean"}


def test_a_brownout_is_slower_and_worse_while_it_lasts() -> None:
    event = {"at_h": 8, "kind": "brownout", "model": "mean", "for_h": 8, "slower": 5,
             "quality_factor": 0.4}  # fmt: skip
    crowd = {"a": group(200)}
    models = {"mean": model("0.01")}
    calls = ran(scenario(models, crowd, events=[event])).calls.with_columns(
        took=pl.col("finished_us") - pl.col("started_us"),
        browned=pl.col("started_us").is_between(8 * H, 16 * H, closed="left"),
    )
    one, other = calls.filter("browned"), calls.filter(~pl.col("browned"))
    assert set(one["took"]) == {5_000_000}
    assert set(other["took"]) == {1_000_000}
    bound = 4 * (0.25 / len(one)) ** 0.5
    assert one["success"].mean() == pytest.approx(0.7 * 0.4, abs=bound)
    assert other["success"].mean() == pytest.approx(0.7, abs=bound)


def test_a_ban_and_a_closure_bar_models_from_groups() -> None:
    frames = ran(
        two(
            {"at_h": 8, "kind": "ban", "origin": "CN", "groups": ["b"]},
            {"at_h": 8, "kind": "closure", "owner": "acme", "groups": ["a"]},
            router={"kind": "random"},
        )
    )
    late = frames.calls.filter(pl.col("posted_us") >= 8 * H)
    assert set(late.select("group", "model").unique().rows()) == {("a", "mean"), ("b", "dear")}
    early = frames.calls.filter(pl.col("posted_us") < 8 * H)
    assert len(early.select("group", "model").unique()) == 4


def test_an_export_control_takes_slots_and_gives_them_back() -> None:
    event = {"at_h": 1, "kind": "export-control", "origin": "CN", "capacity_factor": 0.02,
             "for_h": 1}  # fmt: skip
    slow = model(
        origin="CN",
        capacity={"slots": 100, "queue": 100},
        latency={"first_token_ms": 1_200_000, "tokens_per_s": 1e9, "sigma": 0},
    )
    tasks = [task(3600 + second) for second in range(4)] + [task(3 * 3600)]
    frames = record(play(scenario({"m": slow}, events=[event]), tasks))
    minutes = [(start // 60_000_000) for start in frames.calls["started_us"]]
    assert minutes == [60, 60, 80, 80, 180]
    served = record(play(scenario({"m": slow}, events=[event]), [task(6500 + s) for s in range(4)]))
    assert [start // 1_000_000 for start in served.calls["started_us"]] == [6500, 6501, 7200, 7200]


def test_regret_is_by_the_prices_and_offers_of_the_phase_of_each_call() -> None:
    events: list[Event] = [
        {"at_h": 8, "set": {"models.dear.price.usd_per_call": "0.001"}},
        {"at_h": 16, "kind": "deprecation", "model": "dear"},
    ]
    sure = {"quality": {CHAT: 0.7}}
    models = {"dear": model("0.02", **sure), "mean": model("0.01", **sure)}
    single = {"kind": "single", "model": "mean"}
    found = figures(ran(scenario(models, router=single, events=events)))
    frames = ran(scenario(models, router=single, events=events))
    middle = frames.calls.filter(pl.col("posted_us").is_between(8 * H, 16 * H, closed="left"))
    assert found.market.regret_micros == 9000 * len(middle)


def test_explain_shows_the_phase_in_which_the_call_was_made(tmp_path: Path) -> None:
    events: list[Event] = [
        {"at_h": 2, "kind": "release", "model": "mean"},
        {"at_h": 3, "set": {"router": {"kind": "single", "model": "dear"}}},
    ]
    ended = run(two(*events), out=tmp_path / "run", chain="none")
    times = ended.calls["posted_us"]
    first, released, last = 0, int((times < 2 * H).sum()), len(times) - 1
    early = {each.model: each for each in explain(ended.directory, first).candidates}
    assert "not on offer" in early["mean"].refused
    middle = explain(ended.directory, released)
    assert (middle.pick, middle.router["kind"]) == ("mean", "cheapest")
    assert explain(ended.directory, last).router == {"kind": "single", "model": "dear"}


def test_a_saved_record_with_events_gives_the_same_figures(tmp_path: Path) -> None:
    frames = ran(two(*ALL))
    save(tmp_path, frames, None)
    assert figures(load(tmp_path).frames) == figures(frames)


def test_a_run_of_lively_agents_through_events_keeps_the_laws() -> None:
    document = lively(400).model_dump(mode="json", exclude_none=True)
    document["events"] = [
        {"at_h": 0.1, "kind": "brownout", "model": "big", "for_h": 0.1, "slower": 4},
        {"at_h": 0.15, "kind": "set", "set": {"models.mid.capacity": "{slots: 3, queue: 0}"}},
        {"at_h": 0.2, "kind": "surge", "factor": 3},
        {"at_h": 0.25, "kind": "set", "set": {"models.big.capacity": "{slots: 1, queue: 0}"}},
        {"at_h": 0.3, "kind": "price", "model": "big", "factor": 7},
    ]
    world = World(Scenario.model_validate(document))
    world.run()
    assert all(laws_of(world, record(world)).values())


def test_experiments_measure_scenarios_with_events() -> None:
    assert "models.dear.profit_micros" in measures(two(*ALL))
