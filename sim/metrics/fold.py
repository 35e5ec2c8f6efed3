"""The fold: from the frames of a record to its figures, and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields

import numpy as np
import polars as pl

from sim.facts import Outcome, Status
from sim.metrics.conduct import answers_asked, conduct
from sim.metrics.definitions import (
    CallCounts,
    Figures,
    GroupFigures,
    MarketFigures,
    ModelFigures,
    Quantiles,
    RailFigures,
    StabilityFigures,
    TaskCounts,
    Tokens,
)
from sim.metrics.gains import Gains, gains_of
from sim.metrics.gas import modelled_micros
from sim.metrics.intents import intent_figures
from sim.metrics.jobs import job_figures
from sim.metrics.listed import Listed
from sim.metrics.networks import network_figures, payments, trust
from sim.metrics.owners import own_calls, spend_by_owner
from sim.metrics.prices import prices
from sim.metrics.protocol import judge_figures, protocol_figures
from sim.metrics.regret import Prices, Terms, regret_micros
from sim.metrics.reported import reported
from sim.metrics.stability import stability
from sim.rails import Paid
from sim.record import ANSWERED_NAMES
from sim.record.asides import asks_from_frame
from sim.record.frames import Frames, Names, calls_from_frame
from sim.record.terms import limits_micros, of_tasks
from sim.scenario.phases import phases
from sim.units import (
    BPS,
    PPM,
    micros_from_usd_exact,
    ratio_nearest,
)

ANSWERED = pl.col("reason").is_in(ANSWERED_NAMES)
OF_ANSWERS = (
    "model", "posted_us", "finished_us", "input_tokens", "cached_tokens", "output_tokens",
    "score_ppm",
)  # fmt: skip
OF_SETTLED = (
    "settled_id", "agent", "model", "quote_micros", "charge_micros", "posted_us", "finished_us",
    "batch",
)  # fmt: skip


def figures(frames: Frames) -> Figures:
    """All figures of a record."""
    calls, tasks = frames.calls, frames.tasks
    answered = calls.lazy().filter(ANSWERED).select(OF_ANSWERS).collect()
    spend = int(calls["charge_micros"].sum())
    succeeded = int((tasks["outcome"] == "succeeded").sum())
    rail, jobs, gains = _rail(frames), job_figures(frames), gains_of(frames)
    return Figures(
        scenario=frames.scenario.name,
        seed=frames.scenario.seed,
        digest=frames.digest,
        duration_us=frames.duration_us,
        tasks=task_counts(tasks),
        calls=call_counts(calls),
        success_rate=_share(succeeded, len(tasks)),
        cost_per_success_micros=ratio_nearest(
            sum(each.cost_micros for each in gains.values()), succeeded
        ),
        spend_micros=spend,
        tokens=Tokens(
            input=int(answered["input_tokens"].sum()),
            cached=int(answered["cached_tokens"].sum()),
            output=int(answered["output_tokens"].sum()),
        ),
        latency_us=_latency(answered),
        models=_models(frames, answered, spend),
        intents=intent_figures(frames),
        groups=_groups(frames, gains),
        conduct=conduct(frames, gains.values()),
        market=_market(frames, gains.values(), rail.gas_micros + jobs.gas_micros),
        prices=prices(frames, gains.values()),
        payments=network_figures(payments(frames)),
        trust=network_figures(trust(frames)),
        rail=rail,
        stability=StabilityFigures(**asdict(stability(frames))),
        protocol=protocol_figures(frames),
        jobs=jobs,
        reported=reported(frames),
        judges=judge_figures(frames),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def task_counts(tasks: pl.DataFrame) -> TaskCounts:
    """Tasks by outcome."""
    found = dict(tasks["outcome"].value_counts().iter_rows())
    counts = {outcome.name.lower(): int(found.get(outcome.name.lower(), 0)) for outcome in Outcome}
    return TaskCounts(posted=len(tasks), **counts)


def call_counts(calls: pl.DataFrame) -> CallCounts:
    """Calls by status."""
    found = dict(calls["status"].value_counts().iter_rows())
    counts = {status.name.lower(): int(found.get(status.name.lower(), 0)) for status in Status}
    return CallCounts(made=len(calls), **counts)


def _latency(answered: pl.DataFrame) -> Quantiles:
    latency = (answered["finished_us"] - answered["posted_us"]).sort()
    ranks = [latency.quantile(q, interpolation="nearest") for q in (0.5, 0.95, 0.99)]
    p50, p95, p99 = (None if rank is None else int(rank) for rank in ranks)
    return Quantiles(p50=p50, p95=p95, p99=p99)


def _models(frames: Frames, answered: pl.DataFrame, spend: int) -> dict[str, ModelFigures]:
    by_model = frames.calls.group_by("model").agg(
        calls=pl.len(),
        charge=pl.col("charge_micros").sum(),
        fee=pl.col("fee_micros").sum(),
        settled=(pl.col("status") == "settled").sum(),
        success=pl.col("success").sum(),
        cost=pl.col("cost_micros").sum(),
        slash=pl.col("slash_micros").sum(),
        overbilled=(pl.col("output_tokens") - pl.col("produced_tokens")).sum(),
        substituted=(pl.col("served_by").to_physical() != pl.col("model").to_physical()).sum(),
    )
    by_answer = answered.group_by("model").agg(
        tokens=(pl.col("input_tokens") + pl.col("output_tokens")).sum(),
        score=pl.col("score_ppm").sum(),
        answers=pl.len(),
    )
    rows = by_model.join(by_answer, on="model", how="left").fill_null(0)
    found = {str(row["model"]): row for row in rows.iter_rows(named=True)}
    tokens = sum(row["tokens"] for row in found.values())
    successes = sum(row["success"] for row in found.values())
    figures: dict[str, ModelFigures] = {}
    for model, washed in own_calls(frames).items():
        row = found.get(model, dict.fromkeys(rows.columns, 0))
        figures[model] = ModelFigures(
            calls=row["calls"],
            share_calls=_share(row["calls"], len(frames.calls)) or 0.0,
            share_tokens=_share(row["tokens"], tokens) or 0.0,
            share_spend=_share(row["charge"], spend) or 0.0,
            share_success=_share(row["success"], successes) or 0.0,
            score=_share(row["score"], row["answers"] * PPM),
            revenue_micros=row["charge"] - row["fee"],
            cost_micros=row["cost"],
            profit_micros=row["charge"] - row["fee"] - row["cost"] - row["slash"],
            overbilled_tokens=row["overbilled"],
            substituted=row["substituted"],
            own_calls=washed,
            charge_micros_mean=ratio_nearest(row["charge"], row["settled"]),
        )
    return figures


def _groups(frames: Frames, gains: Mapping[str, Gains]) -> dict[str, GroupFigures]:
    tasks = frames.tasks.group_by("group").agg(pl.len(), (pl.col("outcome") == "succeeded").sum())
    counts = {group: (posted, succeeded) for group, posted, succeeded in tasks.iter_rows()}
    own = frames.own_answers["group"]
    answers: dict[str, int] = dict(own.value_counts().iter_rows())
    paid_out = frames.withdrawals.filter("executed").group_by("group")
    withdrawn: dict[str, int] = dict(paid_out.agg(pl.col("micros").sum()).iter_rows())
    figures: dict[str, GroupFigures] = {}
    for group_id, group in frames.scenario.groups.items():
        posted, succeeded = counts.get(group_id, (0, 0))
        mine, out = gains[group_id], withdrawn.get(group_id, 0)
        budgets = group.count * micros_from_usd_exact(group.budget_usd)
        figures[group_id] = GroupFigures(
            posted=posted,
            succeeded=succeeded,
            success_rate=_share(succeeded, posted),
            spend_micros=mine.spend_micros,
            cost_per_success_micros=ratio_nearest(mine.cost_micros, succeeded),
            budget_left_micros=budgets - mine.spend_micros + mine.slash_micros - out,
            withdrawn_micros=out,
            own_answers=answers.get(group_id, 0),
            self_host_micros=mine.self_host_micros,
            value_micros=mine.value_micros,
            surplus_micros=mine.surplus_micros,
        )
    return figures


def _herfindahl(parts: list[int]) -> int:
    whole = sum(parts)
    return (
        (sum(part * part for part in parts) * BPS * 2 + whole**2) // (2 * whole**2) if whole else 0
    )


def _market(frames: Frames, gains: Iterable[Gains], gas_micros: int) -> MarketFigures:
    every = phases(frames.scenario)
    by_model = frames.calls.group_by("model").agg(pl.len(), pl.col("charge_micros").sum())
    costs = int(frames.calls["cost_micros"].sum()) + gas_micros
    group = frames.calls["group"].to_physical().cast(pl.Int64).to_numpy()
    value, posted_us = of_tasks(frames, "value_micros"), of_tasks(frames, "posted_us")
    limit = limits_micros(every, posted_us, group, value)
    terms = Terms(group, value // answers_asked(frames, group), limit)
    asked = Prices(Listed(frames, every.first), asks_from_frame(frames.asks))
    return MarketFigures(
        hhi_calls=_herfindahl(by_model["len"].to_list()),
        hhi_spend=_herfindahl(by_model["charge_micros"].to_list()),
        hhi_owners=_herfindahl(spend_by_owner(frames)),
        regret_micros=regret_micros(every, asked, calls_from_frame(frames.calls), terms),
        welfare_micros=sum(g.value_micros - g.self_host_micros for g in gains) - costs,
    )


def _rail(frames: Frames) -> RailFigures:
    rail, batches = frames.scenario.rail, frames.batches
    settled = _settled(frames)
    delay = settled["closed_us"] - settled["finished_us"]
    paid = _paid(frames, settled)
    return RailFigures(
        kind=rail.kind,
        batches=len(batches),
        delay_us_mean=ratio_nearest(int(delay.sum()), len(delay)),
        delay_us_max=None if delay.is_empty() else int(np.max(delay.to_numpy())),
        gas=int(batches["gas_modelled"].sum()),
        gas_micros=modelled_micros(frames),
        locked_micros=rail.locked_micros(paid),
        at_risk_micros=rail.at_risk_micros(paid),
    )


def _settled(frames: Frames) -> pl.DataFrame:
    """What a rail weighs of each call settled, in settlement order, and when its batch closed."""
    closing = frames.batches.lazy().select("batch", "closed_us")
    calls = frames.calls.lazy().filter(pl.col("settled_id").is_not_null()).select(OF_SETTLED)
    return calls.sort("settled_id").join(closing, on="batch", maintain_order="left").collect()


def _paid(frames: Frames, settled: pl.DataFrame) -> Paid:
    names = Names(frames.scenario)
    budgets = [micros_from_usd_exact(group.budget_usd) for group in frames.scenario.groups.values()]
    columns = (field.name for field in fields(Paid) if field.name != "budget_micros")
    found = {name: settled[name].to_physical().cast(pl.Int64).to_numpy() for name in columns}
    return Paid(**found, budget_micros=np.array(budgets, np.int64)[names.group_of_agent])
