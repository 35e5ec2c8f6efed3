"""Sensitivity: how much of a figure each parameter moves, as bars with their intervals."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from sim.report.markup import Html, Table, join, tag
from sim.report.measured import Measured, Metric
from sim.report.picture import Key, Layout, Picture, Trace, axis, layout, plain, rounded
from sim.report.wording import NBSP, capital, counted, listed, number

ROW_PX = 44
PARAMETERS_MOST = 30
MEANINGS = {
    "mu_star": "mean absolute effect of moving it over its whole range",
    "S1": "share of the variance that it explains alone",
    "ST": "share of the variance with all its interactions",
}
COLOURS = {"mu_star": "@accent", "S1": "@other", "ST": "@accent"}
WORDS = {"mu_star": "mean absolute effect", "S1": "alone (S1)", "ST": "with interactions (ST)"}


class Index(BaseModel):
    """One index of one parameter, and the half width of its 95 % interval."""

    value: float
    half_width: float


class Found(BaseModel):
    """What a sensitivity analysis wrote down: by metric, parameter and symbol, an index."""

    model_config = ConfigDict(extra="ignore")

    method: str
    runs: int
    metrics: dict[str, dict[str, dict[str, Index]]]


def indices_section(measured: Measured, found: Found) -> Html:
    """The words and a picture per metric."""
    units = {name: measured.metric(name) for name in found.metrics}
    names = list(next(iter(found.metrics.values())))
    method = "Morris’s screening" if found.method == "morris" else "Sobol’s indices"
    asked = (
        f"{method} of {listed([units[name].words.lower() for name in found.metrics])}, over "
        f"{counted(len(names), 'parameter')} and {counted(found.runs, 'point')}."
    )
    pictures = [
        indices_picture(f"indices-{measured.key}-{at}", units[name], of, found.method)
        for at, (name, of) in enumerate(found.metrics.items())
    ]
    words = [_sentence(units[name], of) for name, of in found.metrics.items()]
    return join(
        [
            tag("p", asked),
            *(tag("p", each, class_="finding") for each in words),
            *(picture.html() for picture in pictures),
        ]
    )


def _main(of: Mapping[str, Mapping[str, Index]]) -> str:
    return "mu_star" if "mu_star" in next(iter(of.values())) else "ST"


def _ranked(of: Mapping[str, Mapping[str, Index]]) -> list[str]:
    main = _main(of)
    return sorted(of, key=lambda name: (-of[name][main].value, name))[:PARAMETERS_MOST]


def _told(metric: Metric, symbol: str, index: Index) -> str:
    if symbol in ("S1", "ST"):
        return f"{number(index.value, 2)} ±{NBSP}{number(index.half_width, 2)}"
    return f"{metric.shown(index.value)} ±{NBSP}{metric.half(index.half_width)}"


def _sentence(metric: Metric, of: Mapping[str, Mapping[str, Index]]) -> str:
    main, ranked = _main(of), _ranked(of)
    moved = [name for name in ranked if of[name][main].value > of[name][main].half_width]
    if not moved:
        return f"No parameter surely moves {metric.words.lower()}."
    share = " of its variance" if main == "ST" else " over its range"
    told = _told(metric, main, of[moved[0]][main]) + share
    rest = [name for name in ranked if name not in moved]
    still = f" Not surely moved by {listed(rest)}." if rest else ""
    return f"{capital(metric.words)} is moved most by {moved[0]}, {told}.{still}"


def indices_picture(
    key: str, metric: Metric, of: Mapping[str, Mapping[str, Index]], method: str
) -> Picture:
    """The bars of one metric, the strongest parameter at the top."""
    symbols = ("mu_star",) if method == "morris" else ("ST", "S1")
    ranked = _ranked(of)
    meaning = "; ".join(f"{WORDS[symbol]}: {MEANINGS[symbol]}" for symbol in symbols)
    return Picture(
        id=key,
        title=f"What moves {metric.words.lower()}",
        caption=f"{capital(meaning)}. With 95 % intervals by bootstrap.",
        alternative=f"Bars for {counted(len(ranked), 'parameter')}; the longest is {ranked[0]}.",
        traces=[_bars(symbol, metric, ranked, of) for symbol in symbols],
        layout=_layout(len(ranked) * len(symbols), metric, symbols[0]),
        narrow={"yaxis": {"tickfont": {"size": 10}}, "xaxis": {"nticks": 4}},
        table=_table(metric, of),
        legend=[Key(WORDS[symbol], COLOURS[symbol]) for symbol in symbols] * (len(symbols) > 1),
    )


def _scaled(metric: Metric, symbol: str, value: float) -> float:
    return metric.scaled(value) if symbol == "mu_star" else value


def _bars(
    symbol: str, metric: Metric, ranked: list[str], of: Mapping[str, Mapping[str, Index]]
) -> Trace:
    found = [of[name][symbol] for name in reversed(ranked)]
    halves = [_scaled(metric, symbol, each.half_width) for each in found]
    return {
        "type": "bar", "orientation": "h", "name": WORDS[symbol], "meta": WORDS[symbol],
        "x": rounded([_scaled(metric, symbol, each.value) for each in found]),
        "y": [plain(_last(name)) for name in reversed(ranked)],
        "marker": {"color": COLOURS[symbol]},
        "error_x": {"type": "data", "array": rounded(halves), "color": "@ink", "thickness": 1.2,
                    "width": 3},
        "customdata": [[plain(name), _told(metric, symbol, of[name][symbol])]
                       for name in reversed(ranked)],
        "hovertemplate": "<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
    }  # fmt: skip


def _last(path: str) -> str:
    """The end of a path, which tells parameters apart where room is short."""
    return ".".join(path.rsplit(".", 3)[-3:])


def _layout(bars: int, metric: Metric, symbol: str) -> Layout:
    before, after = metric.affixes if symbol == "mu_star" else ("", "")
    return layout(
        bars * ROW_PX + 90,
        barmode="group",
        margin={"l": 8, "r": 12, "t": 6, "b": 8},
        xaxis=axis(WORDS[symbol] if symbol == "mu_star" else "share of the variance",
                   tickprefix=before, ticksuffix=after, nticks=7, zeroline=True,
                   zerolinecolor="@soft"),
        yaxis=axis(showgrid=False),
    )  # fmt: skip


def _table(metric: Metric, of: Mapping[str, Mapping[str, Index]]) -> Table:
    symbols = list(next(iter(of.values())))
    rows = [
        [name, *(_told(metric, symbol, index) for symbol, index in of[name].items())]
        for name in _ranked(of)
    ]
    return Table("Indices with 95 % intervals", ["parameter", *symbols], rows)
