"""Figures of a run directory once more, from its Parquet files alone and in the plainest Polars.

Nothing here is shared with `sim.metrics`: a figure that differs is wrong in one of the two.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import polars as pl

from sim.scenario import Scenario
from sim.scenario.phases import Phases, phases
from tests.recomputing_bids import ANSWERED, bids_crowded_out
from tests.recomputing_value import efficiency

Number = int | float | None
GAS = json.loads(Path("contracts/gas.json").read_text())["batch"]


@dataclass(frozen=True)
class Record:
    """A run directory, read without any help."""

    calls: pl.DataFrame
    tasks: pl.DataFrame
    batches: pl.DataFrame
    own: pl.DataFrame
    decisions: pl.DataFrame
    prices: pl.DataFrame
    asks: pl.DataFrame
    manifest: Mapping[str, object]
    scenario: Scenario
    phases: Phases


def read(directory: Path) -> Record:
    """All of a run directory that figures are made of."""
    calls, tasks, batches, own, decisions, prices, asks = (
        pl.read_parquet(directory / f"{name}.parquet").with_columns(pl.col(pl.Enum).cast(pl.String))
        for name in ("calls", "tasks", "batches", "own_answers", "decisions", "prices", "asks")
    )
    manifest = json.loads((directory / "manifest.json").read_text())
    scenario = Scenario.model_validate(manifest["scenario"])
    return Record(
        calls, tasks, batches, own, decisions, prices, asks, manifest, scenario, phases(scenario)
    )  # fmt: skip


def nearest(amount: int, count: int) -> int | None:
    """To the nearest int, halves up."""
    return math.floor(amount / count + 0.5) if count else None


def total(series: pl.Series) -> int:
    """The sum of a column of whole numbers."""
    return sum(series.to_list())


def most(series: pl.Series) -> int | None:
    """The largest of a column of whole numbers."""
    return max(series.to_list(), default=None)


def micros(usd: object) -> int:
    """Dollars of a manifest as micros."""
    return round(float(str(usd)) * 1e6)


def worth(record: Record, group: str) -> int:
    """What a group's successes were worth when they came."""
    found = 0
    won = record.tasks.filter(pl.col("group") == group, pl.col("outcome") == "succeeded")
    for posted, ended, value in won.select("posted_us", "ended_us", "value_micros").iter_rows():
        found += value
        rules = record.phases.at(posted).groups[group]
        late = rules.lateness
        if late is not None and ended - posted > late.soft_deadline_s * 10**6:
            soft_us, hard_us = round(late.soft_deadline_s * 10**6), round(rules.deadline_s * 10**6)
            lost = Fraction(ended - posted - soft_us, hard_us - soft_us)
            found -= math.floor(value * lost * (1 - Fraction(str(late.value_left))))
    return found


def hosting(record: Record, group: str) -> int:
    """What a group's agents paid for their own machines: agent by agent, spell by spell."""
    paid = Fraction(0)
    for _, of_agent in record.decisions.filter(pl.col("group") == group).group_by("agent"):
        since = None
        for time_us, decision in of_agent.sort("time_us").select("time_us", "decision").iter_rows():
            if decision == "self_host":
                since = time_us
            elif decision == "stop_hosting" and since is not None:
                paid, since = paid + rent(record, group, since, time_us), None
        if since is not None:
            paid += rent(record, group, since, int(str(record.manifest["duration_us"])))
    return math.floor(paid + Fraction(1, 2))


def rent(record: Record, group: str, since_us: int, until_us: int) -> Fraction:
    """What a machine costs in micros from a time to another, by the price of each moment."""
    inside = [at for at in record.phases.starts_us if since_us < at < until_us]
    edges, paid = [since_us, *inside, until_us], Fraction(0)
    for start, end in pairwise(edges):
        rule = record.phases.at(start).groups[group].outside.self_host
        usd = 0 if rule is None else rule.usd_per_hour
        paid += Fraction(usd) * 10**6 * (end - start) / (3_600 * 10**6)
    return paid


def of_groups(record: Record) -> Iterator[tuple[str, Number]]:
    """Profit and loss of the agents, group by group, and of all."""
    whole_cost = whole_gain = 0
    for name, rules in record.scenario.groups.items():
        calls = record.calls.filter(pl.col("group") == name)
        tasks = record.tasks.filter(pl.col("group") == name)
        spend, back = total(calls["charge_micros"]), total(calls["slash_micros"])
        won = tasks.filter(pl.col("outcome") == "succeeded").height
        value, own = worth(record, name), hosting(record, name)
        cost = spend - back + own
        yield f"groups.{name}.posted", tasks.height
        yield f"groups.{name}.succeeded", won
        yield f"groups.{name}.success_rate", won / tasks.height if tasks.height else None
        yield f"groups.{name}.spend_micros", spend
        yield f"groups.{name}.cost_per_success_micros", nearest(cost, won)
        left = rules.count * micros(rules.budget_usd) - spend + back
        yield f"groups.{name}.budget_left_micros", left
        yield f"groups.{name}.own_answers", record.own.filter(pl.col("group") == name).height
        yield f"groups.{name}.self_host_micros", own
        yield f"groups.{name}.value_micros", value
        yield f"groups.{name}.surplus_micros", value - cost
        whole_cost, whole_gain = whole_cost + cost, whole_gain + value - cost
    won = record.tasks.filter(pl.col("outcome") == "succeeded").height
    yield "cost_per_success_micros", nearest(whole_cost, won)
    yield "prices.surplus_micros", whole_gain


def of_models(record: Record) -> Iterator[tuple[str, Number]]:
    """Profit and loss of the models."""
    calls = record.calls
    answered = calls.filter(pl.col("reason").is_in(ANSWERED))
    spend, right = total(calls["charge_micros"]), total(calls["success"])
    tokens = total(answered["input_tokens"] + answered["output_tokens"])
    for name in record.scenario.models:
        mine, told = (each.filter(pl.col("model") == name) for each in (calls, answered))
        revenue = total(mine["charge_micros"] - mine["fee_micros"])
        cost, slash = total(mine["cost_micros"]), total(mine["slash_micros"])
        settled = mine.filter(pl.col("status") == "settled")
        made = total(told["input_tokens"] + told["output_tokens"])
        path = f"models.{name}"
        yield f"{path}.calls", mine.height
        yield f"{path}.share_calls", mine.height / calls.height if calls.height else 0
        yield f"{path}.share_spend", total(mine["charge_micros"]) / spend if spend else 0
        yield f"{path}.share_success", total(mine["success"]) / right if right else 0
        yield f"{path}.share_tokens", made / tokens if tokens else 0
        yield (
            f"{path}.score",
            total(told["score_ppm"]) / told.height / 10**6 if told.height else None,
        )
        yield f"{path}.revenue_micros", revenue
        yield f"{path}.cost_micros", cost
        yield f"{path}.profit_micros", revenue - cost - slash
        yield (
            f"{path}.overbilled_tokens",
            total(mine["output_tokens"] - mine["produced_tokens"]),
        )
        yield f"{path}.substituted", mine.filter(pl.col("served_by") != pl.col("model")).height
        yield f"{path}.own_calls", own_calls(record, name)
        charged = total(settled["charge_micros"])
        yield f"{path}.charge_micros_mean", nearest(charged, settled.height)


def herfindahl(parts: pl.Series) -> Number:
    """The sum of squared shares, in ten thousandths."""
    whole = total(parts)
    return round(sum(part * part for part in parts.to_list()) / whole**2 * 10_000) if whole else 0


def gini(parts: pl.Series) -> Number:
    """The mean difference of all pairs over twice the mean."""
    values = parts.to_list()
    if not sum(values):
        return None
    apart: int = sum(abs(one - other) for one in values for other in values)
    return apart / (2 * len(values) * total(parts))


def of_market(record: Record) -> Iterator[tuple[str, Number]]:
    """Concentration, prices, welfare."""
    calls, tasks = record.calls, record.tasks
    by_model = calls.group_by("model").agg(pl.len(), pl.col("charge_micros", "fee_micros").sum())
    yield "market.hhi_calls", herfindahl(by_model["len"])
    yield "market.hhi_spend", herfindahl(by_model["charge_micros"])
    models = record.scenario.models
    yield "market.hhi_owners", herfindahl(by_owner(record))
    net = by_model.select("model", pl.col("charge_micros") - pl.col("fee_micros"))
    revenue = dict(net.iter_rows())
    yield "prices.gini_revenue", gini(pl.Series([revenue.get(name, 0) for name in models]))
    charges, costs = total(calls["charge_micros"]), total(calls["cost_micros"])
    settled = calls.filter(pl.col("status") == "settled").height
    yield "prices.bid_micros_mean", nearest(total(calls["bid_micros"]), calls.height)
    yield "prices.ask_micros_mean", nearest(total(calls["ask_micros"]), calls.height)
    yield "prices.clearing_micros_mean", nearest(charges, settled)
    yield "prices.revenue_micros", charges - total(calls["fee_micros"])
    yield "prices.markup", (charges - costs) / costs if costs else None
    yield from efficiency(calls, tasks, record.phases, costs)
    gas = math.ceil(gas_dollars(record) * 1e6 - 1e-6)
    value = sum(worth(record, name) for name in record.scenario.groups)
    own = sum(hosting(record, name) for name in record.scenario.groups)
    yield "rail.gas_micros", gas
    yield "market.welfare_micros", value - costs - own - gas


def by_owner(record: Record) -> pl.Series:
    """What each owner was paid, call by call, by who owned the model at that time."""
    paid: dict[str, int] = {}
    for posted, model, micros in record.calls.select(
        "posted_us", "model", "charge_micros"
    ).iter_rows():
        owner = record.phases.at(posted).models[model].owner or f"itself: {model}"
        paid[owner] = paid.get(owner, 0) + micros
    return pl.Series(list(paid.values()))


def own_calls(record: Record, name: str) -> int:
    """Calls by agents of who owned the model at that time."""
    mine, washed = record.calls.filter(pl.col("model") == name), 0
    for posted, group in mine.select("posted_us", "group").iter_rows():
        now = record.phases.at(posted)
        owner = now.models[name].owner
        washed += owner is not None and owner == now.groups[group].owner
    return washed


def tokens_reported(record: Record, name: str) -> Number:
    """The run's own share of the tokens that were reported by their models' origin."""
    one, counts = record.scenario.reported[name], {True: 0, False: 0}
    for row in record.calls.iter_rows(named=True):
        origin = record.phases.at(row["posted_us"]).models[row["model"]].origin
        hours = row["posted_us"] / 3.6e9
        if one.from_h <= hours < one.to_h and row["reason"] in ANSWERED and one.counts(origin):
            counts[origin == one.origin] += row["input_tokens"] + row["output_tokens"]
    return counts[True] / sum(counts.values()) if sum(counts.values()) else None


def gas_dollars(record: Record) -> float:
    """What the gas of all batches costs, batch by batch, by the committed figures."""
    dollars, closed = 0.0, dict(record.batches.select("batch", "closed_us").iter_rows())
    for (number,), batch in record.calls.drop_nulls("batch").group_by("batch"):
        chain = record.phases.at(closed[number]).chain
        per_call = GAS["per_call"] + (GAS["per_call_event"] if chain.call_events else 0)
        used = GAS["base"] + GAS["per_agent"] * batch["agent"].n_unique()
        used += GAS["per_model"] * batch["model"].n_unique() + per_call * batch.height
        dollars += used * chain.gas_price_gwei * 1e-9 * chain.eth_usd
    return dollars


def of_time(record: Record) -> Iterator[tuple[str, Number]]:
    """Latency, settlement's delay, what was lost for want of capacity."""
    answered = record.calls.filter(pl.col("reason").is_in(ANSWERED))
    took = sorted(answered["finished_us"] - answered["posted_us"])
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        place = round(share * (len(took) - 1) + 1e-9) if took else 0
        yield f"latency_us.{name}", took[place] if took else None
    paid = record.calls.drop_nulls("batch").join(record.batches, on="batch")
    delay = paid["closed_us"] - paid["finished_us"]
    yield "rail.delay_us_mean", nearest(total(delay), delay.len())
    yield "rail.delay_us_max", most(delay)
    owed = paid.group_by("batch").agg(pl.col("charge_micros").sum())["charge_micros"]
    yield "rail.at_risk_micros", most(owed) or 0
    lost = record.tasks.filter(pl.col("reason").is_in(["no_capacity", "deadline"])).height
    lost += bids_crowded_out(record.calls, record.tasks, record.scenario)
    yield "stability.lost_share", lost / record.tasks.height if record.tasks.height else 0


def of_counts(record: Record) -> Iterator[tuple[str, Number]]:
    """How many of what."""
    calls, tasks = record.calls, record.tasks
    answered = calls.filter(pl.col("reason").is_in(ANSWERED))
    for outcome in ("succeeded", "failed", "rejected", "expired", "open"):
        yield f"tasks.{outcome}", tasks.filter(pl.col("outcome") == outcome).height
    for status in ("settled", "refunded", "unpaid", "in_flight"):
        yield f"calls.{status}", calls.filter(pl.col("status") == status).height
    for sort in ("input", "cached", "output"):
        yield f"tokens.{sort}", total(answered[f"{sort}_tokens"])
    yield "spend_micros", total(calls["charge_micros"])
    yield "conduct.calls_per_task", calls.height / tasks.height if tasks.height else None
    yield "conduct.calls_per_task_max", most(calls["task_id"].value_counts()["count"]) or 0
    for name in record.scenario.reported:
        yield f"reported.{name}.share_tokens", tokens_reported(record, name)
    yield "conduct.abandoned", tasks.filter(pl.col("reason") == "gave_up").height
    for name, decision in (("switches", "switch"), ("departures", "leave"), ("returns", "return")):
        yield f"conduct.{name}", record.decisions.filter(pl.col("decision") == decision).height
