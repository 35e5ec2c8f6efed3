"""Sweeps and tunings: how figures answer to parameters, as curves or heat maps, and their front."""

from collections.abc import Sequence

from sim.report.bests import best_in_words, best_point
from sim.report.markup import Html, Json, Table, folded, join, tag
from sim.report.measured import Measured, Metric, Point, label_of
from sim.report.pareto import pareto_picture
from sim.report.picture import (
    Layout,
    Picture,
    Trace,
    axis,
    layout,
    merged,
    numbered,
    panel_title,
    rounded,
    split,
)
from sim.report.wording import counted, listed, number, whole

PANELS = 4
PARAMETERS_SHOWN = 3
POINTS_MOST = 400
HEIGHT = 300
PANEL_PX = 250


def sweep_section(measured: Measured) -> Html:
    """The words, pictures and table of one sweep or tuning."""
    numeric = [name for name in measured.labels if _numeric(measured, name)]
    pictures = _responses(measured, numeric)
    front = pareto_picture(measured)
    if front is not None:
        pictures.append(front)
    table = _table(measured)
    return join(
        [
            tag("p", _asked(measured)),
            tag("p", best_in_words(measured, shown_metrics(measured)[:3]), class_="finding"),
            *(picture.html() for picture in pictures),
            folded(f"Every point ({len(table.rows)})", table.html()),
        ]
    )


def _numeric(measured: Measured, label: str) -> bool:
    return all(not isinstance(point.labels[label], str) for point in measured.points)


def _values(measured: Measured, label: str) -> list[float]:
    return sorted({float(point.labels[label]) for point in measured.points})


def _is_grid(measured: Measured, labels: Sequence[str]) -> bool:
    cells = 1
    for label in labels:
        cells *= len(_values(measured, label))
    return cells == len(measured.points)


def _asked(measured: Measured) -> str:
    varied = [
        f"{label} from {number(values[0])} to {number(values[-1])}"
        for label in measured.labels
        if _numeric(measured, label) and (values := _values(measured, label))
    ]
    failed = sum(point.failed for point in measured.points)
    lost = f"; {counted(failed, 'run')} failed" if failed else ""
    even = measured.table.group_by("point").len()["len"].n_unique() == 1
    seeds = counted(measured.reps, "seed")
    under = f"each under the same {seeds}" if even else f"under {seeds} in all"
    points = counted(len(measured.points), "point")
    return f"Varied: {listed(varied) or 'nothing'}; {points}, {under}{lost}."


def shown_metrics(measured: Measured) -> list[Metric]:
    """The metrics that the panels show: objectives first, then those of the models varied."""
    objectives = measured.experiment.settings.get("objectives", "")
    ranked = sorted(
        (metric for metric in measured.metrics if _known(measured, metric)),
        key=lambda metric: (
            metric.name not in objectives.split(),
            metric.name not in ("success_rate", "cost_per_success_micros"),
            not metric.name.endswith(".revenue_micros"),
        ),
    )
    return ranked[:PANELS]


def _known(measured: Measured, metric: Metric) -> bool:
    return any(metric.name in point.found for point in measured.points)


def _responses(measured: Measured, labels: Sequence[str]) -> list[Picture]:
    if not shown_metrics(measured):
        return []
    if len(labels) == 2 and _is_grid(measured, labels):
        return [heat_picture(measured, labels[0], labels[1])]
    varied = [label for label in labels if len(_values(measured, label)) > 1]
    return [
        curve_picture(measured, label, at, alone=len(labels) == 1)
        for at, label in enumerate(varied[:PARAMETERS_SHOWN])
    ]


def curve_picture(measured: Measured, label: str, at: int, *, alone: bool) -> Picture:
    """Figures against one parameter: a curve if it varies ``alone``, else a mark per point."""
    metrics = shown_metrics(measured)
    traces = [_curve(measured, label, metric, panel, alone) for panel, metric in enumerate(metrics)]
    wide, narrow = _grid_layout(measured, metrics, label)
    rest = "" if alone else " All other parameters vary as well."
    return Picture(
        id=f"curve-{measured.key}-{at}",
        title=label,
        caption="Means with their 95 % intervals over the common seeds, against "
        f"{label}.{rest}",
        alternative=f"{len(metrics)} panels against {label}: "
        + listed([metric.words.lower() for metric in metrics])
        + ".",
        traces=traces,
        layout=wide,
        narrow=narrow,
        table=_by_value(measured, label, metrics),
    )  # fmt: skip


def _curve(measured: Measured, label: str, metric: Metric, panel: int, alone: bool) -> Trace:
    known = sorted(
        (point for point in measured.points if metric.name in point.found),
        key=lambda point: float(point.labels[label]),
    )[:POINTS_MOST]
    found = [point.found[metric.name] for point in known]
    halves = [metric.scaled(each.half_width or 0.0) for each in found]
    return {
        "type": "scatter", "mode": "lines+markers" if alone else "markers", "showlegend": False,
        "name": metric.words, "x": rounded([float(point.labels[label]) for point in known], 6),
        "y": rounded([metric.scaled(each.mean) for each in found], 5),
        "error_y": {"type": "data", "array": rounded(halves), "color": "@accent/50",
                    "thickness": 1.2, "width": 0},
        "line": {"color": "@accent", "width": 2}, "marker": {"color": "@accent", "size": 6},
        "text": [f"{label_of(point)}<br>{metric.told(point.found[metric.name])}"
                 for point in known],
        "hovertemplate": "%{text}<extra></extra>",
        "xaxis": numbered("x", panel), "yaxis": numbered("y", panel),
    }  # fmt: skip


def heat_picture(measured: Measured, across: str, up: str) -> Picture:
    """Figures over a grid of two parameters, as heat maps."""
    metrics = shown_metrics(measured)
    traces = [_heat(measured, across, up, metric, at) for at, metric in enumerate(metrics)]
    wide, narrow = _grid_layout(measured, metrics, across, up)
    return Picture(
        id=f"heat-{measured.key}",
        title=f"{up} over {across}",
        caption="Means over the common seeds; darker is more (in the dark theme, brighter). The "
        "ring marks the best point of a figure of which more, or less, is better.",
        alternative=f"{len(metrics)} heat maps over {across} and {up}: "
        + listed([metric.words.lower() for metric in metrics])
        + ".",
        traces=[*traces, *_rings(measured, across, up, metrics)],
        layout=wide,
        narrow=narrow,
        table=_by_value(measured, across, metrics, up),
    )


def _heat(measured: Measured, across: str, up: str, metric: Metric, at: int) -> Trace:
    xs, ys = _values(measured, across), _values(measured, up)
    cell = {
        (float(point.labels[across]), float(point.labels[up])): point.found.get(metric.name)
        for point in measured.points
    }
    grid = [[cell.get((x, y)) for x in xs] for y in ys]
    told: Json = [[metric.told(each) if each else "failed" for each in row] for row in grid]
    return {
        "type": "heatmap", "x": [number(x, 6) for x in xs], "y": [number(y, 6) for y in ys],
        "z": [rounded([metric.scaled(each.mean) if each else None for each in row], 5)
              for row in grid],
        "text": told, "showscale": False, "xgap": 2, "ygap": 2, "name": metric.words,
        "colorscale": [[0, "@heat0"], [0.5, "@heat1"], [1, "@heat2"]],
        "hovertemplate": f"{across} %{{x}}<br>{up} %{{y}}<br>%{{text}}<extra></extra>",
        "xaxis": numbered("x", at), "yaxis": numbered("y", at),
    }  # fmt: skip


def _rings(
    measured: Measured, across: str, up: str, metrics: Sequence[Metric]
) -> list[Trace]:  # fmt: skip
    rings: list[Trace] = []
    for at, metric in enumerate(metrics):
        best = best_point(measured.points, metric)
        if best is None:
            continue
        rings.append({
            "type": "scatter", "mode": "markers", "showlegend": False, "hoverinfo": "skip",
            "x": [number(float(best.labels[across]), 6)],
            "y": [number(float(best.labels[up]), 6)],
            "marker": {"symbol": "circle", "size": 15, "color": "@none",
                       "line": {"color": "@m1", "width": 3}},
            "xaxis": numbered("x", at), "yaxis": numbered("y", at),
        })  # fmt: skip
    return rings


def _grid_layout(
    measured: Measured, metrics: Sequence[Metric], across: str, up: str = ""
) -> tuple[Layout, Layout]:
    columns = min(2, len(metrics))
    lines = -(-len(metrics) // columns)
    wide = layout(HEIGHT * lines)
    narrow: Layout = {"height": PANEL_PX * len(metrics) + 60}
    titles, stacked = [], []
    sides, levels = split(columns, 0.12), split(lines, 0.2)
    alone = split(len(metrics), 0.3 / len(metrics))
    for at, metric in enumerate(metrics):
        x, y = sides[at % columns], levels[lines - 1 - at // columns]
        level = alone[len(metrics) - 1 - at]
        before, after = ("", "") if up else metric.affixes
        kind: Layout = {"type": "category"} if up else {"nticks": 6}
        bottom = at + columns >= len(metrics)
        wide[numbered("xaxis", at)] = axis(
            across if bottom else "", anchor=numbered("y", at), domain=x, showgrid=not up,
            nticks=8, **({"type": "category"} if up else {}),
        )  # fmt: skip
        wide[numbered("yaxis", at)] = axis(
            up if at % 2 == 0 else "", anchor=numbered("x", at), domain=y, tickprefix=before,
            ticksuffix=after, showgrid=not up, **kind,
        )  # fmt: skip
        last = at == len(metrics) - 1
        narrow[numbered("xaxis", at)] = {
            "domain": [0, 1], "title": {"text": across if last else ""}
        }  # fmt: skip
        narrow[numbered("yaxis", at)] = {"domain": level, "title": {"text": ""}}
        words = f"{metric.words}, {_range(measured, metric)}" if up else metric.words
        titles.append(panel_title(words, x[0], y[1] + 0.01))
        stacked.append(panel_title(words, 0, level[1] + 0.004))
    return wide | {"annotations": titles}, merged(narrow, {"annotations": stacked})


def _range(measured: Measured, metric: Metric) -> str:
    means = [p.found[metric.name].mean for p in measured.points if metric.name in p.found]
    return f"{metric.shown(min(means))} to {metric.shown(max(means))}"


def _by_value(
    measured: Measured, label: str, metrics: Sequence[Metric], other: str | None = None
) -> Table:
    keys = [label, other] if other else [label]
    rows = []
    for point in measured.points[:POINTS_MOST]:
        cells = [number(float(point.labels[key]), 6) for key in keys]
        rows.append([*cells, *_cells(point, metrics)])
    return Table("Means and 95 % intervals", [*keys, *(m.words for m in metrics)], rows)


def _cells(point: Point, metrics: Sequence[Metric]) -> list[str]:
    return [
        metric.told(point.found[metric.name]) if metric.name in point.found else "failed"
        for metric in metrics
    ]


def _table(measured: Measured) -> Table:
    rows = [
        [str(at), *(str(value) for value in point.labels.values()),
         *_cells(point, measured.metrics), whole(point.failed)]
        for at, point in enumerate(measured.points[:POINTS_MOST])
    ]  # fmt: skip
    left = len(measured.points) - POINTS_MOST
    more = f"; {left} more are in results.parquet" if left > 0 else ""
    heads = ["point", *measured.labels, *(metric.words for metric in measured.metrics), "failed"]
    return Table(f"Means and 95 % intervals of every point{more}", heads, rows)
