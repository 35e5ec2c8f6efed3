"""The Pareto front of two figures: the points of which none is better in both."""

from collections.abc import Sequence

from sim.experiment.measures import Direction
from sim.report.markup import Json, Table
from sim.report.measured import Measured, Metric, Point, label_of
from sim.report.picture import Key, Picture, Trace, axis, layout, plain, rounded

USUAL = ("cost_per_success_micros", "success_rate")
POINTS_MOST = 1000


def front_of(points: Sequence[Point], across: Metric, up: Metric) -> list[Point]:
    """The points that no other beats in one metric without losing in the other, by ``across``."""

    def loss(point: Point, metric: Metric) -> float:
        return -metric.better * point.found[metric.name].mean

    def losses(point: Point) -> tuple[float, float]:
        return loss(point, across), loss(point, up)

    best: list[Point] = []
    known = [point for point in points if across.name in point.found and up.name in point.found]
    for point in sorted(known, key=losses):
        if not best or losses(point)[1] < losses(best[-1])[1]:
            best.append(point)
    return best


def _axes(measured: Measured) -> tuple[Metric, Metric] | None:
    """The two objectives of a tuning that has two or more; else cost per success and success."""
    asked = measured.experiment.settings.get("objectives", "").replace(",", " ").split()
    named = [metric for metric in measured.metrics if metric.name in asked]
    if len(named) < 2:
        named = [metric for metric in measured.metrics if metric.name in USUAL]
        named.sort(key=lambda metric: USUAL.index(metric.name))
    useful = [metric for metric in named if metric.better is not Direction.NEUTRAL]
    return (useful[0], useful[1]) if len(useful) > 1 else None


def pareto_picture(measured: Measured) -> Picture | None:
    """The picture of the front; None if there are not two figures to hold against each other."""
    axes = _axes(measured)
    front = front_of(measured.points, *axes) if axes else []
    if axes is None or len(measured.points) < 2 or not front:
        return None
    across, up = axes
    rest = [
        point
        for point in measured.points
        if point not in front and across.name in point.found and up.name in point.found
    ]
    ends = f"from {label_of(front[0])} to {label_of(front[-1])}"
    return Picture(
        id=f"pareto-{measured.key}",
        title=f"{up.words} against {across.words.lower()}",
        caption="Each point with its 95 % intervals. On the line are those that no other point "
        "beats in one figure without losing in the other: the Pareto front.",
        alternative=f"{len(front)} of {len(measured.points)} points are on the Pareto front, "
        f"{ends}.",
        traces=[
            _trace(rest[:POINTS_MOST], across, up, "other points", "@other", "markers"),
            _trace(front, across, up, "Pareto front", "@accent", "lines+markers"),
        ],
        layout=layout(
            440,
            margin={"l": 8, "r": 12, "t": 10, "b": 8},
            xaxis=_axis(across),
            yaxis=_axis(up),
        ),
        narrow={"height": 380, "xaxis": {"nticks": 5}},
        table=_table(front, across, up),
        legend=[Key("Pareto front", "@accent", "circle"), Key("other points", "@other", "circle")],
    )


def _axis(metric: Metric) -> dict[str, Json]:
    before, after = metric.affixes
    return axis(metric.words, tickprefix=before, ticksuffix=after, nticks=7)


def _trace(
    points: Sequence[Point], across: Metric, up: Metric, name: str, colour: str, mode: str
) -> Trace:
    def bars(metric: Metric) -> Json:
        halves = [metric.scaled(point.found[metric.name].half_width or 0.0) for point in points]
        return {
            "type": "data", "array": rounded(halves), "color": f"{colour}/45", "thickness": 1,
            "width": 0,
        }  # fmt: skip

    return {
        "type": "scatter", "mode": mode, "name": name, "meta": name,
        "x": rounded([across.scaled(point.found[across.name].mean) for point in points], 5),
        "y": rounded([up.scaled(point.found[up.name].mean) for point in points], 5),
        "error_x": bars(across), "error_y": bars(up),
        "line": {"color": colour, "width": 1.5},
        "marker": {"color": colour, "size": 8, "line": {"width": 1, "color": "@paper"}},
        "text": [plain(label_of(point)) for point in points],
        "hovertemplate": f"%{{text}}<br>{across.words} %{{x}}<br>{up.words} %{{y}}<extra></extra>",
    }  # fmt: skip


def _table(front: Sequence[Point], across: Metric, up: Metric) -> Table:
    rows = [
        [label_of(point), across.told(point.found[across.name]), up.told(point.found[up.name])]
        for point in front
    ]
    return Table("The Pareto front", ["point", across.words, up.words], rows)
