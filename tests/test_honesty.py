"""Dishonest models: substitution, token inflation, wash trades and sybils, and how they show."""

import numpy as np
import polars as pl
import pytest

from sim.metrics import Figures, figures
from sim.record.frames import Frames
from tests.bad_scenarios import faults_of
from tests.scenarios_for_tests import (
    CHAT,
    CODE,
    WRONG,
    demand,
    group,
    model,
    play,
    ran,
    record,
    scenario,
    task,
    token_model,
)

COST = {"kind": "per_token", "input_usd_per_mtok": "0.2", "output_usd_per_mtok": "0.8"}
CHEAP = {"kind": "per_token", "input_usd_per_mtok": "0.02", "output_usd_per_mtok": "0.08"}


def swapped(share: float, **changes: object) -> Frames:
    """A model of quality 0.9 that lets one of 0.4 answer a share of its calls."""
    models = {
        "grand": token_model(
            quality={CHAT: 0.9}, cost=COST,
            honesty={"kind": "substitution", "by": "petty", "share": share},
        ),
        "petty": token_model(
            quality={CHAT: 0.4}, cost=CHEAP, listed=False,
            latency={"first_token_ms": 250, "tokens_per_s": 1e9, "sigma": 0},
        ),
    }  # fmt: skip
    return ran(scenario(models, {"a": group(400)}, **changes))


def test_a_share_of_calls_is_answered_by_the_other_at_its_quality_speed_and_cost() -> None:
    frames = swapped(0.3)
    calls = frames.calls
    other = calls.filter(pl.col("served_by") == "petty")
    own = calls.filter(pl.col("served_by") == "grand")
    assert set(calls["model"]) == {"grand"}
    n = len(calls)
    assert len(other) / n == pytest.approx(0.3, abs=4 * (0.21 / n) ** 0.5)
    assert other["success"].mean() == pytest.approx(0.4, abs=4 * (0.25 / len(other)) ** 0.5)
    assert own["success"].mean() == pytest.approx(0.9, abs=4 * (0.09 / len(own)) ** 0.5)
    assert set(other["finished_us"] - other["started_us"]) == {250_000}
    assert set(own["finished_us"] - own["started_us"]) == {1_000_000}
    costs = {row["success"]: row["cost_micros"] for row in other.iter_rows(named=True)}
    assert costs == {True: 28, False: 36}
    figured = figures(frames)
    assert figured.models["grand"].substituted == len(other)
    assert figured.models["petty"].calls == 0


def test_substitution_pays_the_seller_until_the_scores_tell() -> None:
    honest, cheat = (figures(swapped(share)).models["grand"] for share in (0.0, 1.0))
    assert cheat.profit_micros > honest.profit_micros
    assert cheat.score is not None
    assert cheat.score < 0.45 < 0.85 < (honest.score or 0)


def test_buyers_are_charged_as_before_whoever_answers() -> None:
    one, other = (swapped(share).calls for share in (0.0, 1.0))
    assert one["quote_micros"].to_list() == other["quote_micros"].to_list()
    right = other.filter("success")
    assert set(right["charge_micros"]) == set(one.filter("success")["charge_micros"]) == {1200}


def test_a_longer_answer_of_the_other_is_charged_no_more_than_was_quoted() -> None:
    models = {
        "grand": token_model(honesty={"kind": "substitution", "by": "petty"}),
        "petty": token_model(listed=False, verbosity=10),
    }
    calls = record(play(scenario(models), [task()])).calls
    assert calls["output_tokens"].to_list() == [1000]
    assert calls["charge_micros"].to_list() == calls["quote_micros"].to_list() == [1400]


def inflated(factor: float, **changes: object) -> tuple[Frames, Figures]:
    lying = token_model(honesty={"kind": "inflation", "factor": factor}, **changes)
    sizes = {CHAT: demand(1, 0.6)}
    frames = ran(scenario({"m": lying}, {"a": group(300, intents=sizes)}))
    return frames, figures(frames)


@pytest.mark.parametrize("factor", [1.0, 1.11, 3.0])
def test_inflated_tokens_are_billed_and_both_numbers_recorded(factor: float) -> None:
    frames, figured = inflated(factor)
    plain, _ = inflated(1.0)
    assert frames.calls["produced_tokens"].to_list() == plain.calls["produced_tokens"].to_list()
    billed = frames.calls["output_tokens"].to_numpy()
    made = frames.calls["produced_tokens"].to_numpy()
    assert (billed >= made * factor - 1e-6).all()
    assert (billed < made * factor + 1).all()
    assert figured.models["m"].overbilled_tokens == int((billed - made).sum())
    assert (frames.calls["charge_micros"] <= frames.calls["quote_micros"]).all()


def test_a_wrong_answer_at_its_longest_is_inflated_too_within_the_quote() -> None:
    lying = token_model(honesty={"kind": "inflation", "factor": 1.5})
    calls = record(play(scenario({"m": lying}), [task(difficulty=WRONG)])).calls
    assert calls["output_tokens"].to_list() == [300]
    assert calls["charge_micros"].to_list() == calls["quote_micros"].to_list() == [1600]


def test_a_tenth_more_tokens_goes_unseen_in_what_a_buyer_sees() -> None:
    """Billed lengths vary five times as much as they are inflated; scores say nothing."""
    honest, lying = (inflated(factor) for factor in (1.0, 1.11))
    one, other = (np.log(frames.calls["output_tokens"].to_numpy()) for frames, _ in (honest, lying))
    shift = float(other.mean() - one.mean())
    assert shift == pytest.approx(0.104, abs=0.02)
    assert shift < float(one.std()) / 5
    assert lying[1].models["m"].score == honest[1].models["m"].score
    assert lying[1].spend_micros > honest[1].spend_micros
    assert lying[1].models["m"].overbilled_tokens > 0 == honest[1].models["m"].overbilled_tokens


def test_wash_trades_buy_volume_and_a_share_of_the_market() -> None:
    """A router that follows the money follows money paid to oneself; only fees are lost."""

    def market(wash: float) -> Figures:
        models = {
            "fair": model(owner="fair-co"),
            "wash": model(owner="wash-co"),
        }
        groups = {"people": group(60, count=5)}
        if wash:
            groups["straw"] = group(
                wash, owner="wash-co", requires={"owners": ["wash-co"]}, budget_usd=10_000
            )
        router = {"kind": "market-share"}
        return figures(ran(scenario(models, groups, router=router)))

    def custom(found: Figures) -> float:
        return 1 - found.models["fair"].calls / found.groups["people"].posted

    fair, washed = market(0), market(3000)
    assert washed.models["wash"].own_calls == washed.groups["straw"].posted
    assert fair.models["wash"].own_calls == washed.models["fair"].own_calls == 0
    assert custom(washed) > custom(fair) + 0.1
    spent, earned = washed.groups["straw"].spend_micros, washed.models["wash"].revenue_micros
    outside = washed.models["wash"].calls - washed.models["wash"].own_calls
    assert earned - spent == outside * 9800 - spent * 200 // 10_000


def test_sybils_take_all_three_places_of_the_leaderboard() -> None:
    def share(ids: int) -> tuple[float, Figures]:
        good = {f"good-{n}": model(quality={CHAT: 0.9}, owner="one") for n in range(ids)}
        others = {f"m{n}": model(quality={CHAT: 0.7 - n / 10}, owner=f"o{n}") for n in range(3)}
        found = figures(
            ran(scenario(good | others, {"a": group(300)}, router={"kind": "leaderboard"}))
        )
        return sum(found.models[each].share_calls for each in good), found

    alone, one = share(1)
    many, three = share(3)
    assert alone == pytest.approx(0.7, abs=0.03)
    assert many == 1.0
    assert three.market.hhi_spend < 6000 < one.market.hhi_spend + 1500
    assert three.market.hhi_owners == 10_000
    assert one.market.hhi_owners == one.market.hhi_spend


def test_overstated_quality_earns_until_the_verdicts_are_in() -> None:
    models = {
        "boast": model(quality={CHAT: 0.5}, declared_quality={CHAT: 0.95}),
        "plain": model(quality={CHAT: 0.8}),
    }
    window = {"validators": {"kind": "median", "noise": 0, "score": {"verdicts": 200}}}
    calls = ran(scenario(models, {"a": group(200)}, router={"kind": "leaderboard"}, **window)).calls
    first, last = calls.head(100), calls.tail(1000)
    early, late = (int((part["model"] == "boast").sum()) / len(part) for part in (first, last))
    assert early > 0.6 > 0.4 > late


def test_faults_of_honesty_and_owners_are_found_at_once() -> None:
    what = scenario(
        {"a": model(owner="x"), "b": model(), "c": model(quality={CHAT: 0.5, CODE: 0.5})},
        {"g": group()},
    ).model_dump(mode="json", exclude_none=True)
    what["models"]["a"]["honesty"] = {"kind": "substitution", "by": "a"}
    what["models"]["b"]["honesty"] = {"kind": "substitution", "by": "a"}
    what["models"]["c"]["honesty"] = {"kind": "substitution", "by": "bb", "share": 2}
    what["groups"]["g"]["owner"] = "y"
    what["groups"]["g"]["requires"] = {"owners": ["xx"], "excluded_owners": ["z"]}
    paths = {fault.path for fault in faults_of(what)}
    assert paths == {"models.a.honesty.by", "models.b.honesty.by", "models.c.honesty.share"}
    what["models"]["c"]["honesty"] = {"kind": "substitution", "by": "bb"}
    paths = {fault.path for fault in faults_of(what)}
    assert paths == {
        "models.a.honesty.by", "models.b.honesty.by", "models.c.honesty.by", "groups.g.owner",
        "groups.g.requires.owners", "groups.g.requires.excluded_owners", "groups.g.intents." + CHAT,
    }  # fmt: skip
    what["models"]["c"]["honesty"] = {"kind": "substitution", "by": "b"}
    assert "models.c.honesty.by" in {fault.path for fault in faults_of(what)}
