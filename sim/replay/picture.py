"""The page of a replay: cost against quality with the Zero router, and the figures as a table."""

from collections.abc import Sequence

from sim.replay.run import Replay, Row, thinned
from sim.report.hull import Point, quality_at
from sim.report.markup import Html, Table, join, tag
from sim.report.page import Section, page
from sim.report.picture import (
    Key,
    Layout,
    Picture,
    Trace,
    axis,
    layout,
    log_range,
    log_ticks,
    plain,
    rounded,
    ticked,
)
from sim.report.wording import number, percent

LOG_FROM = 8
STEPS = 24
COLOURS = 8
PER_TASKS = 1000
BASELINES = ("single", "random", "oracle")


def replay_page(found: Replay) -> str:
    """One self-contained HTML document; the same replay gives the same bytes."""
    table = found.table
    lead = tag(
        "p", f"{len(table.tasks):,} tasks, {len(table.models)} models, every outcome recorded; "
        f"routers know only the other {min(found.settings.folds, len(table.tasks)) - 1} folds.",
        class_="lead",
    )  # fmt: skip
    figures = _figures(found).html()
    sections = [Section("figures", "Figures", figures)]
    if found.zero:
        sections.insert(0, Section("frontier", "Cost and quality", _picture(found).html()))
    return page(f"Replay of {table.name}", Html(lead), [*sections, _definitions()])


def _definitions() -> Section:
    terms = (
        ("success", "mean over tasks of the last answer's recorded success"),
        ("cost per success", "all calls paid, failures too, over successes"),
        ("Zero router", "non-decreasing concave hull of the single models: what fixed mixes reach"),
        ("AIQ", "mean quality of a router's own hull over the single models' range of costs"),
        ("APGR", "mean over the share of strong calls of (success - weak) / (strong - weak)"),
        ("arena score", "1.1 A C / (0.1 A + C), A the success, C the thrift on a log scale"),
    )  # fmt: skip
    rows = (join([tag("dt", name), tag("dd", words)]) for name, words in terms)
    return Section("definitions", "Definitions", tag("dl", *rows))


def _figures(found: Replay) -> Table:
    rows = []
    for row in found.rows:
        low, high = row.success_interval or (row.success, row.success)
        span = row.cost_usd_per_success_interval
        rows.append([
            row.label, percent(row.success), f"{100 * low:.1f} to {100 * high:.1f}",
            _thousand(row.cost_usd_per_task), _thousand(row.cost_usd_per_success),
            "" if span is None else f"{_thousand(span[0])} to {_thousand(span[1])}",
            _share(row.aiq), _share(row.apgr), _share(row.arena_score), _share(row.gap_to_oracle),
        ])  # fmt: skip
    heads = ["router", "success %", "95 %", "$ per 1,000 tasks", "$ per 1,000 successes", "95 %",
             "AIQ", "APGR", "arena", "gap to oracle"]  # fmt: skip
    return Table("Every router on the same tasks", heads, rows)


def _thousand(usd: float | None) -> str:
    return "" if usd is None else f"{PER_TASKS * usd:.4g}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _point(row: Row) -> Point:
    assert row.cost_usd_per_task is not None
    return PER_TASKS * row.cost_usd_per_task, 100 * row.success


def _picture(found: Replay) -> Picture:
    costs = [_point(row)[0] for row in found.rows]
    log = min(costs) > 0 and max(costs) > LOG_FROM * min(costs)
    routers = [row for row in found.rows if row.name not in BASELINES]
    colours = {row.label: f"@m{at % COLOURS}" for at, row in enumerate(routers)}
    best = max(found.rows, key=lambda row: row.success)
    traces = [_hull(found, max(costs), log), *_curves(found, colours)]
    traces += [_marks(rows, name, mark, colours) for name, mark, rows in _kinds(found)]
    return Picture(
        id="replay-frontier",
        title="Cost against quality",
        caption="Each router where its picks put it, with the 95 % interval of its success. The "
        "line is the Zero router: the best that a fixed mix of single models reaches at that cost.",
        alternative=f"{len(found.rows)} routers; {best.label} has most success, "
        f"{percent(best.success)} at ${number(_point(best)[0])} per 1,000 tasks.",
        traces=traces,
        layout=_layout(found, costs, log),
        narrow={"height": 420},
        table=_figures(found),
        legend=[Key("Zero router", "@ink", "line"),
                *(Key(name, "@ink" if name != "routers" else "@m0", mark)
                  for name, mark, rows in _kinds(found) if rows)],
    )  # fmt: skip


def _kinds(found: Replay) -> list[tuple[str, str, list[Row]]]:
    def named(*names: str) -> list[Row]:
        return [row for row in found.rows if row.name in names]

    routers = [row for row in found.rows if row.name not in BASELINES]
    return [("single models", "circle", named("single")),
            ("random and oracle", "diamond", named("random", "oracle")),
            ("routers", "star", routers)]  # fmt: skip


def _hull(found: Replay, most: float, log: bool) -> Trace:
    corners = [(PER_TASKS * cost, 100 * quality) for cost, quality in found.zero]
    start, stop = corners[0][0], max(most, corners[-1][0])
    costs = {cost for cost, _ in corners} | {stop}
    if log:
        costs |= {start * (stop / start) ** (step / STEPS) for step in range(1, STEPS)}
    line = [(cost, quality_at(corners, cost) or 0.0) for cost in sorted(costs)]
    return _line("Zero router", line, "@ink", "solid")


def _curves(found: Replay, colours: dict[str, str]) -> list[Trace]:
    """The curves of routers that rank tasks; the oracle's would hide the others."""
    return [
        _line(label, [(PER_TASKS * c, 100 * q) for c, q in thinned(points)], colours[label], "dot")
        for label, points in found.curves.items()
        if label in colours
    ]


def _line(name: str, points: Sequence[Point], colour: str, dash: str) -> Trace:
    return {
        "type": "scatter", "mode": "lines", "name": plain(name), "meta": plain(name),
        "line": {"color": colour, "width": 1.5, "dash": dash}, "hoverinfo": "skip",
        "x": rounded([cost for cost, _ in points]), "y": rounded([high for _, high in points]),
        "showlegend": False,
    }  # fmt: skip


def _marks(rows: Sequence[Row], name: str, mark: str, colours: dict[str, str]) -> Trace:
    points = [_point(row) for row in rows]
    labels = [str(row.params["model"]) if row.name == "single" else row.label for row in rows]
    halves = [((row.success_interval or (0, 0))[1] - (row.success_interval or (0, 0))[0]) * 50
              for row in rows]  # fmt: skip
    return {
        "type": "scatter", "mode": "markers+text", "name": name, "meta": name,
        "x": rounded([cost for cost, _ in points]), "y": rounded([high for _, high in points]),
        "text": [plain(label) for label in labels], "textposition": "top center",
        "textfont": {"color": "@ink", "size": 11}, "cliponaxis": False, "showlegend": False,
        "hovertemplate": "<b>%{text}</b><br>$%{x} per 1,000 tasks<br>%{y:.1f} % success"
        "<extra></extra>",
        "error_y": {"type": "data", "array": rounded(halves, 3), "color": "@soft/55",
                    "thickness": 1, "width": 0},
        "marker": {
            "size": 14 if mark == "star" else 10, "symbol": mark, "opacity": 1,
            "line": {"width": 1.5, "color": "@paper"},
            "color": [colours.get(row.label, "@other" if row.name == "single" else "@ink")
                      for row in rows],
        },
    }  # fmt: skip


def _layout(found: Replay, costs: Sequence[float], log: bool) -> Layout:
    more: Layout = {"range": [0, max(costs) * 1.14 or 1], "tickprefix": "$", "nticks": 6}
    if log:
        more = {"type": "log", "range": log_range(min(costs), max(costs), 1.6)}
        more |= ticked(log_ticks(min(costs), max(costs)), before="$")
    shares = [100 * row.success for row in found.rows]
    room = max(4.0, (max(shares) - min(shares)) * 0.15)
    span: list[float] = [max(-4.0, min(shares) - room), min(106.0, max(shares) + room)]
    return layout(
        480, xaxis=axis("dollars per 1,000 tasks", **more),
        yaxis=axis("success", range=span, ticksuffix=" %", nticks=6),
    )  # fmt: skip
