"""The protocol's tables over time: scores and revocations by epoch, and demand multipliers."""

from collections.abc import Sequence

import polars as pl

from sim.report.markup import Json, Table
from sim.report.palette import OTHER, Palette
from sim.report.picture import (
    Picture,
    Trace,
    numbered,
    plain,
    rounded,
    two_panels,
)
from sim.report.reading import Record
from sim.report.wording import counted, percent_of_ppm
from sim.units import US_PER_DAY

INTENTS_MOST = 8
DASHES = ("solid", "dash", "dot", "dashdot")


def busiest(epochs: pl.DataFrame) -> str:
    """The intent on which most tasks were judged; the first by name of equals."""
    sums = epochs.group_by("intent").agg(pl.col("judged").sum()).sort("judged", "intent")
    top = sums.filter(pl.col("judged") == sums["judged"].max())
    return str(top.sort("intent")["intent"][0])


def tables_picture(record: Record, epochs: pl.DataFrame, palette: Palette) -> Picture:
    """The picture of the busiest intent's table, and of every intent's multiplier."""
    intent = busiest(epochs)
    of_intent = epochs.filter(pl.col("intent") == intent)
    lost = int(of_intent["revoked_us"].is_not_null().sum())
    wide, narrow = two_panels(
        (f"Score, {intent}", "Demand multiplier"),
        "days since the start",
        {"nticks": 6},
        {"rangemode": "tozero", "nticks": 6, "tickprefix": "× "},
    )
    return Picture(
        id=f"tables-{record.key}",
        title="Tables by epoch",
        caption=f"The score that each model has on the table of {intent}, the intent with most "
        "judged answers, at each epoch’s end (crosses: its routing was revoked), and the demand "
        "multiplier of each intent.",
        alternative="Two panels of lines by epoch: scores of "
        f"{counted(len(record.models), 'model')} for {intent}, with "
        f"{counted(lost, 'revocation')}, and demand multipliers.",
        traces=[*_scores(record, of_intent, palette), *_multipliers(epochs)],
        layout=wide,
        narrow=narrow,
        table=_table(record, intent, of_intent),
        legend=palette.lines(record.models),
    )


def _scores(record: Record, of_intent: pl.DataFrame, palette: Palette) -> list[Trace]:
    traces: list[Trace] = []
    for name in sorted(record.models, key=palette.models.index, reverse=True):
        rows = of_intent.filter(pl.col("model") == name).sort("epoch")
        if rows.is_empty():
            continue
        own = name in palette.named
        scores = [value / 1e6 for value in rows["score_ppm"].to_list()]
        common: Trace = {
            "type": "scatter", "name": plain(name), "meta": name if own else "others",
            "legendgroup": plain(name), "xaxis": "x", "yaxis": "y",
            "hovertemplate": f"<b>{plain(name)}</b>  %{{y:.3f}}<extra></extra>",
        }  # fmt: skip
        color = palette.model(name)
        traces.append(common | {
            "mode": "lines", "x": _days(rows["ended_us"].to_list()), "y": rounded(scores),
            "showlegend": own,
            "line": {"color": color, "width": 2 if own else 1, "dash": palette.dash(name)},
        })  # fmt: skip
        lost = rows.filter(pl.col("revoked_us").is_not_null())
        if not lost.is_empty():
            heights = [value / 1e6 for value in lost["score_ppm"].to_list()]
            traces.append(common | {
                "mode": "markers", "x": _days(lost["revoked_us"].to_list()), "y": rounded(heights),
                "showlegend": False, "marker": {"color": color, "symbol": "x", "size": 9},
            })  # fmt: skip
    return traces


def _multipliers(epochs: pl.DataFrame) -> list[Trace]:
    sums = epochs.group_by("intent").agg(pl.col("judged").sum())
    shown = sums.sort("judged", "intent", descending=[True, False])["intent"].to_list()
    traces: list[Trace] = []
    for at, intent in enumerate(shown[:INTENTS_MOST]):
        rows = epochs.filter(pl.col("intent") == intent).unique("epoch").sort("epoch")
        times = [value / 10 for value in rows["multiplier_tenths"].to_list()]
        traces.append({
            "type": "scatter", "mode": "lines", "name": plain(intent), "showlegend": False,
            "x": _days(rows["ended_us"].to_list()), "y": rounded(times),
            "xaxis": numbered("x", 1), "yaxis": numbered("y", 1),
            "line": {"color": OTHER, "width": 1.5, "shape": "hv", "dash": DASHES[at % 4]},
            "hovertemplate": f"<b>{plain(intent)}</b>  × %{{y:.1f}}<extra></extra>",
        })  # fmt: skip
    return traces


def _days(times_us: Sequence[int]) -> Json:
    return [round(time / US_PER_DAY, 4) for time in times_us]


def _table(record: Record, intent: str, of_intent: pl.DataFrame) -> Table:
    rows = []
    for name in record.models:
        mine = of_intent.filter(pl.col("model") == name).sort("epoch")
        if mine.is_empty():
            continue
        lost = int(mine["revoked_us"].is_not_null().sum())
        first, last = (percent_of_ppm(int(mine["score_ppm"][at])) for at in (0, -1))
        rows.append([name, first, last, str(mine["standing"][-1]), str(lost)])
    return Table(
        f"The table of {intent}",
        ["model", "score first", "score last", "standing last", "revocations"],
        rows,
    )
