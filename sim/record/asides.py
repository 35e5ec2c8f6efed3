"""What agents do beside the market as frames: answers of their own machines, and decisions."""

from dataclasses import fields

import polars as pl

from sim.facts import Decision
from sim.record.columns import Decisions, OwnAnswers
from sim.record.frames import Frames, Names, as_enum, codes
from sim.scenario.schema import Scenario
from sim.units import Int64Array

MARKET = "-"
"""What the record calls the model of a decision about the whole market."""


def own_answers_frame(answers: OwnAnswers, names: Names) -> pl.DataFrame:
    """Every answer of an agent's own machines."""
    series = [names.coded("group", names.group_of_agent[answers.agent])]
    for field in fields(OwnAnswers):
        column: Int64Array = getattr(answers, field.name)
        coded = field.name in names.enums
        series.append(names.coded(field.name, column) if coded else pl.Series(field.name, column))
    return pl.DataFrame(series)


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


def asides_of(frames: Frames) -> tuple[OwnAnswers, Decisions]:
    """The columns behind a record's frames of what agents did beside the market."""
    return own_answers_from_frame(frames.own_answers), decisions_from_frame(frames.decisions)
