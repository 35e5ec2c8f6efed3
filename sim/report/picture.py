"""A picture: traces and layout for plotly.js, its words, and its table for whoever cannot see it.

Colours are names of the page's own (``@ink``, ``@m0``, ``@m0/40`` at 40 %), so that a picture
follows the theme. Text that comes from a scenario is escaped: plotly.js reads text as markup.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

from sim.report.markup import Html, Json, Table, folded, join, script_json, tag
from sim.report.wording import number

Trace = dict[str, Json]
Layout = dict[str, Json]
NARROW_PX = 560
TICKS_MAX = 6
TIGHT = 1.2


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of a legend: a name, its colour, and the mark (``area``, ``line``, a symbol)."""

    name: str
    colour: str
    mark: str = "area"
    toggles: bool = True


@dataclass(frozen=True)
class Picture:
    """One picture.

    Args:
        id: of its element. title, caption: above it. alternative: what it shows, in a sentence.
        traces, layout: for plotly.js. narrow: what differs in the layout below `NARROW_PX`.
        table: the same in numbers. legend: its keys; each toggles the traces of its name.
    """

    id: str
    title: str
    caption: str
    alternative: str
    traces: Sequence[Trace]
    layout: Layout
    narrow: Layout
    table: Table
    legend: Sequence[Key] = ()

    def html(self) -> Html:
        """The figure element with its data."""
        named = f"{self.id}-title"
        heading = tag("h3", self.title, id=named)
        plot = tag("div", class_="plot", role="img", aria_label=self.alternative)
        document: Json = {
            "traces": self.traces,
            "layout": self.layout,
            "narrow": self.narrow,
            "title": escape(self.title, quote=False),
        }
        return tag(
            "figure",
            tag("figcaption", heading, tag("p", self.caption)),
            self._legend(),
            plot,
            tag("div", folded("Numbers", self.table.html()), self._tools(), class_="under"),
            tag("script", script_json(document), type="application/json"),
            id=self.id,
            aria_labelledby=named,
        )

    def _legend(self) -> Html:
        if not self.legend:
            return Html()
        keys = join(_key(key) for key in self.legend)
        return tag("ul", keys, class_="legend", aria_label=f"Legend: {self.title}")

    def _tools(self) -> Html:
        buttons = (
            tag(
                "button", kind.upper(), type="button", data_save=kind,
                aria_label=f"Save the picture as {kind.upper()}: {self.title}",
            )
            for kind in ("svg", "png")
        )  # fmt: skip
        return tag("span", "Save ", *buttons, class_="tools")


def _key(key: Key) -> Html:
    swatch = tag(
        "span", class_=f"swatch {key.mark}", data_colour=key.colour[1:], aria_hidden="true"
    )
    if not key.toggles:
        return tag("li", tag("span", swatch, key.name, class_="key"))
    button = tag("button", swatch, key.name, type="button", aria_pressed="true", data_key=key.name)
    return tag("li", button)


def plain(text: str) -> str:
    """A name as text of a picture, markup in it made harmless."""
    return escape(text, quote=False)


def panel_title(text: str, x: float, y: float) -> Trace:
    """The title of one panel of a picture, above its left corner, in shares of the picture."""
    return {
        "text": plain(text), "x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": "left",
        "yanchor": "bottom", "showarrow": False, "font": {"color": "@ink", "size": 13},
    }  # fmt: skip


def axis(title: str = "", /, **more: Json) -> Layout:
    """A quiet axis; ``more`` are plotly.js's own attributes."""
    base: Layout = {
        "showgrid": True, "gridcolor": "@rule", "gridwidth": 1, "zeroline": False,
        "showline": False, "ticks": "", "tickangle": 0, "ticklabelstandoff": 5,
        "automargin": True, "tickfont": {"color": "@soft"},
        "title": {"text": title, "font": {"color": "@soft", "size": 12}, "standoff": 10},
        "fixedrange": True,
    }  # fmt: skip
    return base | more


def layout(height: int, /, **more: Json) -> Layout:
    """The layout that all pictures share; ``more`` are plotly.js's own attributes."""
    base: Layout = {
        "height": height, "showlegend": False, "paper_bgcolor": "@none", "plot_bgcolor": "@none",
        "font": {"color": "@ink", "size": 12}, "margin": {"l": 8, "r": 8, "t": 26, "b": 8},
        "hovermode": "closest", "dragmode": False,
        "hoverlabel": {"bgcolor": "@paper", "bordercolor": "@rule", "font": {"color": "@ink"}},
    }  # fmt: skip
    return base | more


def rounded(values: Sequence[float | None], digits: int = 4) -> list[float | None]:
    """Values to so many significant digits: what a picture can show, and no more bytes."""
    return [value if not value else _significant(value, digits) for value in values]


def _significant(value: float, digits: int) -> float:
    return round(value, max(0, digits - 1 - floor(log10(abs(value)))))


def log_ticks(least: float, most: float, count: int = TICKS_MAX) -> list[float]:
    """At most ``count`` round ticks within a range on a logarithmic axis."""
    first, last = floor(log10(least)), floor(log10(most)) + 1
    within: list[float] = []
    for steps in ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        ticks = [
            round(step * 10.0**power, 12) for power in range(first, last + 1) for step in steps
        ]
        within = [tick for tick in ticks if least / TIGHT <= tick <= most * TIGHT]
        if len(within) <= count:
            break
    return within[:: -(-len(within) // count)]


def ticked(values: Sequence[float], before: str = "", after: str = "") -> Layout:
    """Ticks at these values, with the unit before or after each."""
    texts = [f"{before}{number(value, 6)}{after}" for value in values]
    return {"tickvals": values, "ticktext": texts}


def log_range(least: float, most: float, room: float = 1.25) -> list[float]:
    """The range of a logarithmic axis, with room to either side."""
    return [round(log10(least / room), 4), round(log10(most * room), 4)]


def split(parts: int, gap: float) -> list[list[float]]:
    """So many domains side by side, with gaps, in shares of the picture."""
    width = (1 - gap * (parts - 1)) / parts
    starts = [part * (width + gap) for part in range(parts)]
    return [[round(start, 4), round(min(1.0, start + width), 4)] for start in starts]


def two_panels(
    words: tuple[str, str], time: str, left: Layout, right: Layout
) -> tuple[Layout, Layout]:
    """Two panels over time: side by side on a wide page, one above the other on a narrow one.

    Args:
        words: their titles. time: what the time axes say. left, right: attributes of their y axes.
    """
    first, second = split(2, 0.09)
    days: Layout = {"showgrid": False, "nticks": 7}
    wide = layout(
        340,
        xaxis=axis(time, domain=first, **days),
        xaxis2=axis(time, domain=second, anchor="y2", **days),
        yaxis=axis(**left),
        yaxis2=axis(anchor="x2", **right),
    )
    narrow: Layout = {
        "height": 560,
        "xaxis": {"domain": [0, 1], "title": {"text": ""}}, "xaxis2": {"domain": [0, 1]},
        "yaxis": {"domain": [0.57, 1]}, "yaxis2": {"domain": [0, 0.43]},
    }  # fmt: skip
    titles = [panel_title(words[0], 0, 1.01), panel_title(words[1], second[0], 1.01)]
    stacked = [panel_title(words[0], 0, 1.005), panel_title(words[1], 0, 0.435)]
    return wide | {"annotations": titles}, merged(narrow, {"annotations": stacked})


def numbered(name: str, at: int) -> str:
    """plotly.js's name of the axis of panel ``at``: x, x2, x3, ..., xaxis, xaxis2, ..."""
    return name if at == 0 else f"{name}{at + 1}"


def merged(*layouts: Mapping[str, Json]) -> Layout:
    """Layouts laid upon each other, nested mappings too."""
    result: Layout = {}
    for each in layouts:
        for key, value in each.items():
            below = result.get(key)
            if isinstance(below, Mapping) and isinstance(value, Mapping):
                result[key] = merged(below, value)
            else:
                result[key] = value
    return result
