"""Regret in auctions: by what models asked, whoever won, and by what the winner was awarded."""

import numpy as np
import pytest

from sim.explaining import explain
from sim.mechanisms import MECHANISMS
from sim.metrics import figures
from sim.metrics.asked import ask_micros
from sim.metrics.listed import Listed
from sim.metrics.regret import Prices
from sim.metrics.supplies import Supply
from sim.record.asides import asks_from_frame
from sim.record.frames import Frames, calls_from_frame
from sim.recording import frames_of
from sim.runner import run
from sim.scenario import Scenario, from_mapping
from sim.scenario.phases import phases
from sim.world import World
from tests.auctions import ON_SUCCESS, bidders, seller
from tests.scenarios_for_tests import CHAT, Mappings, demand, group, ran, scenario, token_model
from tests.test_mechanism_family import BY_ASKS, BY_BIDS

AUCTIONS = [kind for kind in MECHANISMS if kind != "posted"]
PRIVATE: Mappings = {"kind": "uniform", "high_usd": "0.5"}
FLAT: Mappings = {"kind": "per_call", "usd_per_call": "0.07"}
TRUE: Mappings = {"kind": "cost-plus"}
METERED: Mappings = {
    "kind": "per_token", "input_usd_per_mtok": "0.7", "cached_usd_per_mtok": "0.1",
    "output_usd_per_mtok": 3,
}  # fmt: skip
SHADED: Mappings = {"kind": "shaded", "bidders": 3, "highest_usd": "0.5"}


def bazaar(kind: str, tasks: int = 150, **changes: object) -> Scenario:
    """Sellers of every sort: by list price, by tokens and more, shaded, by a cost that is drawn."""
    room = {"slots": 2, "queue": 30}
    models = {
        "drawn": seller("0.9", 2, quality={CHAT: 0.6}, cost=PRIVATE, selling=TRUE),
        "known": seller("0.9", 2, quality={CHAT: 0.4}, cost=FLAT, selling=TRUE),
        "listed": token_model(quality={CHAT: 0.8}, capacity=room, output_sigma=0.3),
        "moving": seller("0.002", 2, quality={CHAT: 0.7}, cost=METERED,
                         selling={"kind": "surge", "above": 0.1, "period_h": 0.01}),
        "shaded": seller("0.9", 2, quality={CHAT: 0.9}, cost=PRIVATE, selling=SHADED),
        "wordy": token_model(quality={CHAT: 0.5}, capacity=room, cache_hit_share=0.4, verbosity=1.7,
                             reasoning_share=0.2, cost=METERED,
                             selling={"kind": "cost-plus", "markup": 0.37}),
    }  # fmt: skip
    people = group(900, count=4, intents={CHAT: demand(1, 0.9)}, retries=1, value_usd="0.6",
                   max_price_usd="0.55", deadline_s=20)  # fmt: skip
    later = [
        {"at_h": 0.01, "set": {"models.shaded.selling": dict(TRUE)}},
        {"at_h": 0.015, "kind": "price", "model": "listed", "factor": 300},
        {"at_h": 0.018, "kind": "fee", "fee_bps": 1000},
        {"at_h": 0.02, "set": {"models.wordy.cost": dict(PRIVATE)}},
    ]
    rules = {"mechanism": {"kind": kind}, "router": {"kind": "random"}, "events": later}
    plain = scenario(models, {"a": people}, tasks=tasks)
    return from_mapping(plain.model_dump(mode="json", exclude_none=True) | rules | changes)


def asks_seen(what: Scenario, monkeypatch: pytest.MonkeyPatch) -> tuple[Frames, list[list[int]]]:
    """A record, and what each model asked for each call as it was made."""
    world, seen = World(what), list[list[int]]()
    enter, clearing = world.market._enter, world.market.clearing

    def entering(call):
        asks = clearing.asks(call.task, range(len(world.pool.endpoints)))
        seen.append([ask.ask_micros for ask in asks])
        enter(call)

    monkeypatch.setattr(world.market, "_enter", entering)
    world.run()
    return frames_of(world, 0, {}), seen


@pytest.mark.parametrize("kind", AUCTIONS)
def test_the_record_tells_what_every_model_asked_for_every_call(kind, monkeypatch):
    frames, seen = asks_seen(bazaar(kind), monkeypatch)
    every, calls = phases(frames.scenario), calls_from_frame(frames.calls)
    prices = Prices(Listed(frames, every.first), asks_from_frame(frames.asks))
    number = every.of(calls.posted_us)
    assert set(number.tolist()) == {0, 1, 2, 3, 4}
    for at, phase in enumerate(every):
        rows = np.flatnonzero(number == at)
        part, rules = calls.take(rows), phase.scenario
        for index, model in enumerate(rules.models.values()):
            told = ask_micros(Supply(rules, model), part, prices.of(index, part), rules,
                              prices.asks_of(index))  # fmt: skip
            assert told.tolist() == [seen[row][index] for row in rows.tolist()], (kind, model)


@pytest.mark.parametrize("kind", AUCTIONS)
def test_only_asks_by_costs_that_are_drawn_are_written_down(kind):
    frames = ran(bazaar(kind, 60, events=[]))
    assert set(frames.asks["model"].to_list()) == {"drawn", "shaded"}
    assert len(frames.asks) == 2 * len(frames.calls)
    won = frames.asks.join(frames.calls, on=["call_id", "model"])
    if kind != "double":  # whose asks are those of the tick that a call is traded at
        assert won["ask_micros"].to_list() == won["ask_micros_right"].to_list()
    known = bazaar(kind, 60, events=[]).model_dump(mode="json", exclude_none=True)
    for each in ("drawn", "shaded"):
        known["models"][each]["cost"] = dict(METERED)
    assert ran(from_mapping(known)).asks.is_empty()


@pytest.mark.parametrize("settle_on", ["delivered", "success"])
@pytest.mark.parametrize("kind", BY_ASKS)
def test_who_pays_the_best_losing_ask_of_models_as_good_regrets_nothing(kind, settle_on):
    models = {f"m{n}": seller(0, 100, cost=PRIVATE, selling=TRUE) for n in range(4)}
    people = bidders(1, values={"kind": "fixed"}, deadline_s=60)
    rail = {"kind": "batch", "settle_on": settle_on}
    frames = ran(scenario(models, {"a": people}, mechanism={"kind": kind}, tasks=200, rail=rail))
    assert frames.asks.height == 800
    assert abs(figures(frames).market.regret_micros) <= frames.calls.height


def test_who_is_sent_past_the_lowest_ask_regrets_the_difference():
    """Two models as good, where a list price says nothing of what is asked."""
    models = {
        "dear": seller("0", 100, cost={"kind": "per_call", "usd_per_call": "0.3"}, selling=TRUE),
        "fair": seller("0", 100, cost={"kind": "per_call", "usd_per_call": "0.1"}, selling=TRUE),
    }
    people = bidders(1, values={"kind": "fixed"}, deadline_s=60)
    frames = ran(scenario(models, {"a": people}, mechanism={"kind": "second-price"}, tasks=90,
                          rail=ON_SUCCESS, router={"kind": "single", "model": "dear"}))  # fmt: skip
    found = figures(frames).market.regret_micros
    assert found == pytest.approx(90 * 200_000 / 0.98, rel=1e-5)


@pytest.mark.parametrize("kind", [*BY_ASKS, *BY_BIDS])
def test_the_regrets_of_the_calls_as_explained_are_that_of_the_run(kind, tmp_path):
    what = bazaar(kind, 12, events=[]).model_dump(mode="json", exclude_none=True)
    what["groups"]["a"] |= {"count": 1, "arrival": {"kind": "regular", "per_hour": 60}}
    ended = run(from_mapping(what), out=tmp_path / "run", chain="none")
    explained = sum(explain(ended.directory, call).regret_usd for call in ended.calls["call_id"])
    assert ended.calls.height >= 12
    assert ended.ok
    assert ended.summary.market.regret_micros == pytest.approx(explained * 10**6, abs=30)
