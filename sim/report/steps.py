"""The steps of workflows: how often each was asked for, how often right, and what it took."""

import polars as pl

from sim.report.markup import Html, Table, join, tag
from sim.report.reading import Record
from sim.report.wording import NONE, dollars, number, percent, whole
from sim.scenario.phases import WHOLE_TASK


def steps_query(calls: pl.LazyFrame) -> pl.LazyFrame:
    """Sums by group and step, in the order of the record's names."""
    answered = pl.col("reason").is_in(["none", "wrong", "late"])
    return (
        calls.group_by("group", "step")
        .agg(
            calls=pl.len(),
            tasks=pl.col("task_id").n_unique(),
            answers=answered.sum(),
            right=pl.col("success").sum(),
            input=pl.col("input_tokens").filter(answered).sum(),
            cached=pl.col("cached_tokens").sum(),
            charge=pl.col("charge_micros").sum(),
        )
        .sort("group", "step")
    )


def steps_section(record: Record, found: pl.DataFrame) -> Html:
    """The table of steps, and what tasks took as a whole; nothing where no task has steps."""
    if found.filter(pl.col("step").cast(pl.String) != WHOLE_TASK).is_empty():
        return Html()
    conduct = record.figures.conduct
    calls = NONE if conduct.calls_per_task is None else number(conduct.calls_per_task)
    words = (
        f"A task took {calls} calls on average, at most {whole(conduct.calls_per_task_max)}, and"
        f" {whole(conduct.tokens_per_task)} tokens; {whole(conduct.abandoned)} were given up by"
        f" choice. Agents’ own machines gave {whole(conduct.own_answers)} answers beside these."
    )
    rows = [_row(row) for row in found.iter_rows(named=True)]
    heads = ["group", "step", "tasks", "calls", "right", "tokens in, mean", "cached", "charged"]
    return join([tag("p", words), Table("Steps by group", heads, rows, texts=2).html()])


def _row(row: dict[str, int | str]) -> list[str]:
    answers, right, entry, cached = (int(row[k]) for k in ("answers", "right", "input", "cached"))
    return [
        str(row["group"]), str(row["step"]), whole(int(row["tasks"])), whole(int(row["calls"])),
        percent(right / answers if answers else None), whole(entry / answers if answers else None),
        percent(cached / entry if entry else None), dollars(int(row["charge"])),
    ]  # fmt: skip
