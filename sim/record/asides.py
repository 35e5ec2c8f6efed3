"""What happens beside calls as frames: own answers, decisions, prices and slots, money, asks."""

from collections.abc import Iterable
from dataclasses import fields
from decimal import Decimal

import polars as pl

from sim.facts import Decision, Kind
from sim.record.columns import (
    Asks,
    Decisions,
    Jobs,
    OwnAnswers,
    Prices,
    Slots,
    Table,
    Withdrawals,
)
from sim.record.frames import Frames, Names, as_enum, codes
from sim.record.moves import Move
from sim.scenario.schema import Scenario
from sim.units import Int64Array

MARKET = "-"
"""What the record calls the model of a decision about the whole market."""
MAYBE = ("ended_us", "swap")
"""What of a job is null until it ends, or where nothing was bought."""


def own_answers_frame(answers: OwnAnswers, names: Names) -> pl.DataFrame:
    """Every answer of an agent's own machines."""
    group = names.coded("group", names.group_of_agent[answers.agent])
    return pl.DataFrame([group, *_named(answers, names)])


def prices_frame(prices: Prices, names: Names) -> pl.DataFrame:
    """Every list price that changed in mid-run, and from which call on."""
    return pl.DataFrame(_named(prices, names))


def slots_frame(slots: Slots, names: Names) -> pl.DataFrame:
    """Every change of a model's slots in mid-run."""
    return pl.DataFrame(_named(slots, names))


def asks_frame(asks: Asks, names: Names) -> pl.DataFrame:
    """What every model asked for a call, where its cost is drawn."""
    return pl.DataFrame(_named(asks, names))


def withdrawals_frame(withdrawals: Withdrawals, names: Names) -> pl.DataFrame:
    """Every step of a withdrawal."""
    group = names.coded("group", names.group_of_agent[withdrawals.agent])
    frame = pl.DataFrame([group, *_named(withdrawals, names)])
    return frame.with_columns(pl.col("executed").cast(pl.Boolean))


def jobs_frame(jobs: Jobs, names: Names, moves: Iterable[Move]) -> pl.DataFrame:
    """Every on-chain job, with the ``machina_wei`` that it has brought its model.

    Args:
        moves: the protocol's transfers, its purchases among them.
    """
    bought: list[Decimal] = []
    for move in moves if len(jobs) else ():
        if move.kind is Kind.SWAP and move.asset == "USDC":
            bought.append(Decimal(0))
        elif move.kind is Kind.SWAP:
            bought[-1] = Decimal(move.amount)
    group = names.coded("group", names.group_of_agent[jobs.agent])
    wei = [bought[at] if at >= 0 else None for at in jobs.swap.tolist()]
    machina = pl.Series("machina_wei", wei, dtype=pl.Decimal(38, 0))
    absent = [pl.when(pl.col(each) >= 0).then(each).alias(each) for each in MAYBE]
    return pl.DataFrame([group, *_named(jobs, names), machina]).with_columns(absent)


def no_jobs(scenario: Scenario) -> pl.DataFrame:
    """The jobs of a run that has none."""
    return jobs_frame(Jobs.from_rows([]), Names(scenario), ())


def _named(table: Table, names: Names) -> list[pl.Series]:
    """The columns of a table, names instead of codes where there are such."""
    series = []
    for field in fields(table):
        column: Int64Array = getattr(table, field.name)
        coded = field.name in names.enums
        series.append(names.coded(field.name, column) if coded else pl.Series(field.name, column))
    return series


def decisions_frame(decisions: Decisions, names: Names, scenario: Scenario) -> pl.DataFrame:
    """Every decision; the ``model`` of one about the market is ``-``."""
    models = pl.Enum([MARKET, *scenario.models])
    kinds = pl.Enum([decision.name.lower() for decision in Decision])
    return pl.DataFrame(
        [
            pl.Series("time_us", decisions.time_us),
            names.coded("group", names.group_of_agent[decisions.agent]),
            names.coded("agent", decisions.agent),
            as_enum("decision", decisions.decision, kinds),
            as_enum("model", decisions.model + 1, models),
        ]
    )


def own_answers_from_frame(frame: pl.DataFrame) -> OwnAnswers:
    """The columns behind a frame of own answers."""
    return OwnAnswers(*(codes(frame[field.name]) for field in fields(OwnAnswers)))


def decisions_from_frame(frame: pl.DataFrame) -> Decisions:
    """The columns behind a frame of decisions."""
    time_us, agent, decision, model = (codes(frame[field.name]) for field in fields(Decisions))
    return Decisions(time_us, agent, decision, model - 1)


def prices_from_frame(frame: pl.DataFrame) -> Prices:
    """The columns behind a frame of prices."""
    return Prices(*(codes(frame[field.name]) for field in fields(Prices)))


def slots_from_frame(frame: pl.DataFrame) -> Slots:
    """The columns behind a frame of slots."""
    return Slots(*(codes(frame[field.name]) for field in fields(Slots)))


def withdrawals_from_frame(frame: pl.DataFrame) -> Withdrawals:
    """The columns behind a frame of withdrawals."""
    return Withdrawals(*(codes(frame[field.name]) for field in fields(Withdrawals)))


def asks_from_frame(frame: pl.DataFrame) -> Asks:
    """The columns behind a frame of asks."""
    return Asks(*(codes(frame[field.name]) for field in fields(Asks)))


def jobs_from_frame(frame: pl.DataFrame) -> Jobs:
    """The columns behind a frame of jobs."""
    filled = frame.with_columns(pl.col(MAYBE).fill_null(-1))
    return Jobs(*(codes(filled[field.name]) for field in fields(Jobs)))


def asides_of(frames: Frames) -> tuple[Table, ...]:
    """The columns behind a record's frames of what happened beside tasks and calls."""
    return (
        own_answers_from_frame(frames.own_answers),
        decisions_from_frame(frames.decisions),
        prices_from_frame(frames.prices),
        slots_from_frame(frames.slots),
        withdrawals_from_frame(frames.withdrawals),
        asks_from_frame(frames.asks),
        jobs_from_frame(frames.jobs),
    )
