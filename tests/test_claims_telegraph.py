"""The day under the whole of Telegraph's protocol goes as its first comment expects."""

from functools import cache

import polars as pl
import pytest

from sim.experiment.jobs import seed_of
from sim.mechanisms import PerCall
from sim.metrics import figures
from sim.record.frames import Frames
from sim.routers import Leaderboard
from sim.scenario import load
from sim.units import US_PER_HOUR
from tests.claims import SCENARIOS
from tests.scenarios_for_tests import ran

CHAT, TEXT, CODE = "CHAT_COMPLETION", "LANGUAGE_GENERATION", "CODE_GENERATION"
PLAIN = load(SCENARIOS / "telegraph.yaml", {"chain.backend": "none"})
OPUS, GPT, SONNET = "claude-opus-4.6", "gpt-5.4", "claude-sonnet-4.6"
MANY = 500
"""Calls whose shares have a standard error of about 2 %."""


@cache
def day(rep: int) -> Frames:
    return ran(PLAIN.model_copy(update={"seed": seed_of(PLAIN.seed, rep)}))


def floors() -> dict[str, int]:
    """What models ask at a multiplier of one, in micros."""
    return {
        name: int(model.price.usd_per_call * 1_000_000)
        for name, model in PLAIN.models.items()
        if isinstance(model.price, PerCall)
    }


def most_micros(intent: str) -> int:
    """What the agents that ask for an intent pay for an answer at most."""
    (group,) = (group for group in PLAIN.groups.values() if intent in group.intents)
    return int(group.max_price_usd * 1_000_000)


def declared(intent: str) -> dict[str, float]:
    return {name: model.quality.get(intent, 0) for name, model in PLAIN.models.items()}


def best(intent: str, tenths: int) -> tuple[set[str], float]:
    """The best declared of those that can be paid at a multiplier, and their part of the tasks."""
    there = {
        name: score
        for name, score in declared(intent).items()
        if floors()[name] * tenths <= 10 * most_micros(intent)
    }
    first = {name for name, score in there.items() if score == max(there.values())}
    assert isinstance(PLAIN.router, Leaderboard)
    return first, sum(PLAIN.router.shares_percent[: len(first)]) / 100


def shares(frames: Frames) -> pl.DataFrame:
    """First attempts of the first 24 hours, by intent, multiplier and model."""
    floor = pl.col("model").cast(pl.String).replace_strict(floors(), return_dtype=pl.Int64)
    calls = frames.calls.filter(pl.col("posted_us") < 24 * US_PER_HOUR, pl.col("attempt") == 0)
    counted = calls.group_by(
        pl.col("intent").cast(pl.String), pl.col("model").cast(pl.String),
        tenths=(10 * pl.col("quote_micros") / floor).round().cast(pl.Int64),
    ).len()  # fmt: skip
    cell = pl.col("len").sum().over("intent", "tenths")
    return counted.filter(cell >= MANY).with_columns(share=pl.col("len") / cell)


@pytest.mark.parametrize("rep", [0, 1])
def test_calls_go_to_the_best_declared_of_those_that_agents_can_pay(rep: int) -> None:
    cells = shares(day(rep)).group_by("intent", "tenths").agg("model", "share").rows()
    assert len(cells) > 8
    for intent, tenths, models, parts in cells:
        first, due = best(intent, tenths)
        found = sum(part for model, part in zip(models, parts, strict=True) if model in first)
        assert found == pytest.approx(due, abs=0.06), (intent, tenths)


@pytest.mark.parametrize("rep", [0, 1])
def test_the_first_of_four_intents_in_five_takes_seven_tenths_of_one(rep: int) -> None:
    asked = {intent for group in PLAIN.groups.values() for intent in group.intents}
    tops = {intent: max(declared(intent), key=declared(intent).__getitem__) for intent in asked}
    assert {intent for intent, top in tops.items() if top == OPUS} == asked - {CODE}
    elsewhere = pl.col("intent").is_in(asked - {"AGENT_TASK", CODE})
    assert OPUS not in set(day(rep).calls.filter(elsewhere)["model"])
    found = figures(day(rep)).intents
    for intent, first in (("AGENT_TASK", OPUS), (CHAT, GPT), (CODE, GPT)):
        assert found[intent].first == first
        assert found[intent].first_share == pytest.approx(0.7, abs=0.05)
    assert {found[TEXT].first, found[TEXT].second} == {GPT, SONNET}
    assert found[TEXT].first_share == pytest.approx(0.45, abs=0.03)
    assert found[TEXT].second_share == pytest.approx(0.45, abs=0.03)


@pytest.mark.parametrize("rep", [0, 1])
def test_the_day_passes_two_tiers_and_costs_regret_and_concentration(rep: int) -> None:
    found = figures(day(rep))
    assert found.protocol is not None
    assert (found.protocol.epochs, found.protocol.multiplier_max) == (1, 2.5)
    assert found.protocol.bought_machina > 0
    assert found.market.hhi_calls > 4 * 10_000 / len(PLAIN.models)
    assert found.market.regret_micros > found.spend_micros / 2


def test_validators_agree_within_a_hundredth() -> None:
    ratings = day(0).protocol.ratings
    often = ratings.filter(pl.col("rounds") > 100)
    apart = often.group_by("model").agg(pl.col("score_ppm").max() - pl.col("score_ppm").min())
    assert len(apart) > 5
    assert apart["score_ppm"].to_numpy().max() < 10_000
