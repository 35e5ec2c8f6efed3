"""Regret of a record once more, call by call, from its Parquet files and its scenario's numbers."""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import polars as pl

from sim.mechanisms.prices import PerCall
from sim.models import ability, discrimination_of
from sim.scenario import Scenario
from sim.scenario.supply import Model
from tests.recomputing import Record

FOR_SLOTS = ("first-price", "second-price", "uniform-price", "double")
BY_COST = ("pay-per-success", "execution-contingent")
Drawn = dict[tuple[int, str], int]
"""What was asked where costs are drawn, by call and model."""


class Asked(NamedTuple):
    """A call, and of its task when it was posted, what it asks for as a whole, what it is worth."""

    call_id: int
    model: str
    group: str
    intent: str
    whole: str
    posted_us: int
    asked_us: int
    input_tokens: int
    reference_tokens: int
    difficulty: int
    quote_micros: int
    bid_micros: int
    value_micros: int


class Price(NamedTuple):
    """Micros per call, and per million tokens of prompt, cached prompt and answer."""

    per_call: float
    input: float
    cached: float
    output: float


def regret_micros(record: Record) -> float:
    """The best model's expected surplus less the chosen one's, summed over the calls."""
    tasks = record.tasks.select("task_id", "value_micros", asked_us="posted_us", whole="intent")
    calls = record.calls.sort("call_id").join(tasks, on="task_id", maintain_order="left")
    prices = {name: _listed(record, name) for name in record.scenario.models}
    tenders = record.scenario.mechanism.kind not in ("posted", *FOR_SLOTS)
    drawn = {(row[0], row[1]): row[2] for row in record.asks.iter_rows()}
    total = 0.0
    for place, row in enumerate(calls.select(Asked._fields).iter_rows()):
        now = {name: each[place] for name, each in prices.items()}
        call = Asked._make(row)
        surplus = dict(_surpluses(record, call, now, drawn))
        if tenders:
            surplus[call.model] = _awarded(record, call)
        total += max(surplus.values()) - surplus[call.model]
    return total


def _listed(record: Record, name: str) -> list[Price]:
    """What a model listed as each call was quoted: its first price until another is on record."""
    first = _first(record.phases.first.models[name])
    moves = record.prices.filter(pl.col("model") == name)
    at = record.calls.select(pl.col("call_id").sort()).join_asof(
        moves.drop("model", "time_us"), left_on="call_id", right_on="first_call"
    )
    columns = [at[f"{part}_micros"].fill_null(usual) for part, usual in first._asdict().items()]
    return [Price(*prices) for prices in zip(*columns, strict=True)]


def _first(model: Model) -> Price:
    price = model.price
    if isinstance(price, PerCall):
        return Price(float(price.usd_per_call) * 1e6, 0, 0, 0)
    entry, cached = price.input_usd_per_mtok, price.cached_usd_per_mtok
    usd = (entry, entry if cached is None else cached, price.output_usd_per_mtok)
    return Price(0, *(float(each) * 1e6 for each in usd))


def _surpluses(
    record: Record, call: Asked, prices: dict[str, Price], drawn: Drawn
) -> Iterator[tuple[str, float]]:
    """What each model that could have been offered was expected to bring, in micros."""
    rules = record.phases.at(call.posted_us)
    limit, value = _terms(record, call)
    posted = rules.mechanism.kind == "posted"
    floor = prices[call.model].per_call
    priced = rules.protocol is not None and rules.protocol.pricing is not None
    times = round(10 * call.quote_micros / floor) / 10 if priced else 1
    for name, model in rules.models.items():
        offered = model.listed and rules.groups[call.group].requires.met_by(model)
        quote = math.ceil(_most(model, call, prices[name]) - 1e-9)
        ask = _ask(rules, model, drawn.get((call.call_id, name), quote))
        fits = (quote * times if posted else ask) <= limit
        if call.intent in model.quality and (name == call.model or (offered and fits)):
            right, wrong = (times * each for each in _charges(model, call, prices[name]))
            if not posted:
                right = wrong = ask
            if rules.rail.settle_on == "success" and rules.mechanism.kind not in BY_COST:
                wrong = 0
            chance = _chance(rules, model, call)
            yield name, chance * (value - right) - (1 - chance) * wrong


def _ask(rules: Scenario, model: Model, asked: float) -> float:
    """What a model asked: as it was drawn, by its cost per call, or its quote; or the reserve."""
    if model.selling.kind == "cost-plus" and isinstance(model.cost, PerCall):
        net = round(float(model.cost.usd_per_call) * 1e6 * (1 + model.selling.markup))
        asked = math.ceil(Fraction(net * 10_000, 10_000 - rules.rail.fee_bps))
    reserve = getattr(rules.mechanism, "reserve_usd", None) or 0
    return max(asked, float(reserve) * 1e6) if rules.mechanism.kind in FOR_SLOTS else asked


def _awarded(record: Record, call: Asked) -> float:
    """What the winner of a tender was expected to bring, by its award."""
    rules = record.phases.at(call.posted_us)
    value, kind = _terms(record, call)[1], rules.mechanism.kind
    chance = _chance(rules, rules.models[call.model], call)
    wrong = call.quote_micros
    if rules.rail.settle_on == "success" or kind in BY_COST:
        wrong = 0
    if kind == "execution-contingent":
        lead = call.quote_micros - min(value, call.bid_micros)
        wrong = math.ceil(lead * (1 - rules.rail.fee_bps / 1e4) - 1e-6)
    return chance * (value - call.quote_micros) - (1 - chance) * wrong


def _terms(record: Record, call: Asked) -> tuple[float, int]:
    """The most that the call may cost, and what a right answer is worth: its part of the task."""
    group = record.phases.at(call.asked_us).groups[call.group]
    limit = float(group.max_price_usd) * 1e6
    if group.values.kind != "fixed":
        limit = min(limit, call.value_micros)
    steps = group.intents[call.whole].workflow.values()
    return limit, call.value_micros // (sum(step.clones for step in steps) or 1)


def _charges(model: Model, call: Asked, price: Price) -> tuple[float, float]:
    """The expected charge of a right answer, and of a wrong one."""
    cached = int(call.input_tokens * model.cache_hit_share)
    start = (call.input_tokens - cached) * price.input + cached * price.cached
    right = call.reference_tokens * model.verbosity / (1 - model.reasoning_share) * price.output
    return (
        price.per_call + (start + right) / 1e6,
        price.per_call + (start + right * model.wrong_output_factor) / 1e6,
    )


def _most(model: Model, call: Asked, price: Price) -> float:
    """What is held: nothing cached, and the length of a wrong answer."""
    answer = call.reference_tokens * model.verbosity / (1 - model.reasoning_share)
    answer = math.ceil(answer * model.wrong_output_factor - 1e-9)
    entry = call.input_tokens * max(price.input, price.cached)
    return price.per_call + (entry + answer * price.output) / 1e6


def _chance(rules: Scenario, model: Model, call: Asked) -> float:
    """P(right) of the two-parameter logistic."""
    slope = discrimination_of(model, rules)
    gap = (call.difficulty - ability(model.quality[call.intent], slope)) / 1e6
    return 1 / (1 + math.exp(min(500, slope * gap)))
