"""Comparisons: designs against the first one, as a forest plot and in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.experiment.measures import Direction
from sim.experiment.statistics import Interval, difference, interval, relative_difference
from sim.report.markup import Html, Json, Table, join, tag
from sim.report.measured import Measured, Metric
from sim.report.picture import Key, Layout, Picture, Trace, axis, layout, plain, rounded
from sim.report.wording import NBSP, NONE, counted, listed, number

ROW_PX = 46
COLOURS = 8


@dataclass(frozen=True)
class Effect:
    """A design against the base in one metric, over the seeds that both have."""

    metric: Metric
    other: str
    base_mean: float
    other_mean: float
    absolute: Interval
    relative: Interval | None

    @property
    def sure(self) -> bool:
        """Whether the 95 % interval leaves out zero."""
        half = self.absolute.half_width
        return half is not None and abs(self.absolute.mean) > half

    @property
    def better(self) -> bool | None:
        """Whether the other is surely better; None if neither is, or better has no meaning."""
        if not self.sure or self.metric.better is Direction.NEUTRAL:
            return None
        return (self.absolute.mean > 0) == (self.metric.better is Direction.HIGHER)


def effects(measured: Measured) -> list[Effect]:
    """Every metric of every design but the first."""
    names = [str(point.labels["design"]) for point in measured.points]
    by_design = {
        name: {row["rep"]: row for row in part.iter_rows(named=True)}
        for name, part in zip(
            names, measured.table.sort("point", "rep").partition_by("point"), strict=True
        )
    }
    base = by_design[names[0]]
    found = []
    for metric in measured.metrics:
        for other in names[1:]:
            pairs = [
                (float(base[rep][metric.name]), float(row[metric.name]))
                for rep, row in by_design[other].items()
                if rep in base and None not in (base[rep][metric.name], row[metric.name])
            ]
            if pairs:
                found.append(_effect(metric, other, pairs))
    return found


def _effect(metric: Metric, other: str, pairs: Sequence[tuple[float, float]]) -> Effect:
    ours, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    return Effect(
        metric, other, interval(ours).mean, interval(theirs).mean, difference(ours, theirs),
        relative_difference(ours, theirs),
    )  # fmt: skip


def comparison_section(measured: Measured) -> Html:
    """The words, the picture and the table of one comparison."""
    base, *others = (str(point.labels["design"]) for point in measured.points)
    found = effects(measured)
    asked = (
        f"{listed(others)} against {base}, under the same {counted(measured.reps, 'seed')} each: "
        "what differs is the design, not the luck."
    )
    words = (_sentence(base, other, [e for e in found if e.other == other]) for other in others)
    picture = forest_picture(measured, base, others, found)
    return join(
        [tag("p", asked), *(tag("p", each, class_="finding") for each in words), picture.html()]
    )


def _sentence(base: str, other: str, found: Sequence[Effect]) -> str:
    parts = [f"{effect.metric.words.lower()} {_amount(effect)}" for effect in found if effect.sure][
        :6
    ]
    if not parts:
        return f"Between {other} and {base} no difference is shown in any of these figures."
    return f"Against {base}, {other}: {listed(parts)} (95{NBSP}% intervals)."


def _amount(effect: Effect) -> str:
    relative = effect.relative
    if relative is None:
        return _signed(effect.metric.scaled(effect.absolute.mean))
    half = (
        f"{NBSP}±{NBSP}{number(100 * relative.half_width, 2)}"
        if relative.half_width is not None
        else ""
    )
    return f"{_signed(100 * relative.mean)}{half}{NBSP}%"


def _signed(value: float) -> str:
    return f"+{number(value)}" if value > 0 else number(value)


def forest_picture(
    measured: Measured, base: str, others: Sequence[str], found: Sequence[Effect]
) -> Picture:
    """Relative differences with their intervals; one colour per design."""
    rows = [metric for metric in measured.metrics if any(e.metric == metric for e in found)]
    sure = [e for e in found if e.better]
    return Picture(
        id=f"forest-{measured.key}",
        title=f"Differences from {base}",
        caption=f"Relative difference of each figure from {base}, with its 95 % interval over "
        f"{measured.reps} common seeds. An interval that crosses zero shows no difference; a "
        "hollow mark says so.",
        alternative=f"A row per figure and a mark per design: {len(found)} differences from "
        f"{base}, {len(sure)} of them surely better.",
        traces=[_trace(other, at, rows, found) for at, other in enumerate(others)],
        layout=_layout(len(rows), rows),
        narrow={"xaxis": {"nticks": 4}, "yaxis": {"tickfont": {"size": 11}}},
        table=_table(base, found),
        legend=[Key(other, f"@m{at % COLOURS}", "circle") for at, other in enumerate(others)],
    )


def _trace(other: str, at: int, rows: Sequence[Metric], found: Sequence[Effect]) -> Trace:
    mine = [e for e in found if e.other == other and e.relative is not None]
    means = [100 * e.relative.mean for e in mine if e.relative]
    halves = [100 * (e.relative.half_width or 0) for e in mine if e.relative]
    colour = f"@m{at % COLOURS}"
    shift = 0.16 * (at - 0.5) if at < 4 else 0
    symbols: Json = ["circle" if e.sure else "circle-open" for e in mine]
    return {
        "type": "scatter", "mode": "markers", "name": plain(other), "meta": other,
        "x": rounded(means), "y": [len(rows) - 1 - rows.index(e.metric) - shift for e in mine],
        "error_x": {"type": "data", "array": rounded(halves), "color": colour, "thickness": 2,
                    "width": 0},
        "marker": {"color": colour, "size": 10, "symbol": symbols,
                   "line": {"width": 2, "color": colour}},
        "customdata": [[e.metric.words, _told(e)] for e in mine],
        "hovertemplate": f"<b>{plain(other)}</b><br>%{{customdata[0]}}<br>%{{customdata[1]}}"
        "<extra></extra>",
    }  # fmt: skip


def _told(effect: Effect) -> str:
    metric = effect.metric
    return f"{metric.shown(effect.base_mean)} to {metric.shown(effect.other_mean)}"


def _layout(rows: int, metrics: Sequence[Metric]) -> Layout:
    names: Json = [metric.words for metric in reversed(metrics)]
    places: Json = list(range(rows))
    return layout(
        rows * ROW_PX + 60,
        margin={"l": 8, "r": 12, "t": 6, "b": 8},
        xaxis=axis("difference", ticksuffix=" %", zeroline=True, zerolinecolor="@soft", nticks=7),
        yaxis=axis(tickvals=places, ticktext=names, range=[-0.6, rows - 0.4], showgrid=False),
    )


def _table(base: str, found: Sequence[Effect]) -> Table:
    rows = []
    for e in found:
        verdict = {None: "no difference shown", True: "better", False: "worse"}[e.better]
        if e.sure and e.better is None:
            verdict = "differs"
        half = e.absolute.half_width
        shown = e.metric.shown(abs(e.absolute.mean))
        rows.append([
            e.metric.words, e.other, e.metric.shown(e.base_mean), e.metric.shown(e.other_mean),
            f"{'−' if e.absolute.mean < 0 else '+'}{shown}",
            NONE if half is None else f"± {e.metric.shown(half)}",
            _amount(e) if e.relative else NONE, verdict,
        ])  # fmt: skip
    heads = ["figure", "design", base, "design’s", "difference", "95 %", "relative", "verdict"]
    return Table("Differences", heads, rows, texts=2)
