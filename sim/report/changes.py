"""What a scenario's events change: lines in the pictures over time, and a table in words."""

from dataclasses import replace

from sim.report.markup import Html, Json, Table
from sim.report.picture import Layout, Picture, merged, numbered
from sim.report.reading import Record
from sim.report.timeline import Bins
from sim.report.wording import duration, listed
from sim.scenario.event_checks import differing
from sim.scenario.phases import phases
from sim.scenario.tree import dotted

MOST = 60


def marked(picture: Picture, record: Record, bins: Bins) -> Picture:
    """The picture over time with a dotted line in every panel where a phase begins."""
    times = _times(record)
    if not times:
        return picture
    axes = [key for key in picture.layout if key.startswith("xaxis")]
    lines: list[Json] = [
        _line(key.removeprefix("xaxis"), time_us / bins.unit_us, alone=len(axes) == 1)
        for key in axes
        for time_us in times[:MOST]
    ]
    shapes: Layout = {"shapes": lines}
    caption = f"{picture.caption} Dotted lines: events."
    return replace(picture, caption=caption, layout=merged(picture.layout, shapes))


def _times(record: Record) -> list[int]:
    """When phases begin within the run, the first left out."""
    starts_us = phases(record.scenario).starts_us[1:]
    return [time_us for time_us in starts_us if time_us <= record.manifest.duration_us]


def _line(number: str, at: float, *, alone: bool) -> Json:
    place = int(number) - 1 if number else 0
    return {
        "type": "line", "layer": "above", "x0": round(at, 4), "x1": round(at, 4), "y0": 0, "y1": 1,
        "xref": numbered("x", place),
        "yref": "paper" if alone else f"{numbered('y', place)} domain",
        "line": {"color": "@soft", "width": 1, "dash": "dot"},
    }  # fmt: skip


def changes_table(record: Record) -> Html:
    """Every phase with what it changes, from what to what; nothing without events."""
    times = _times(record)
    if not times:
        return Html("")
    every = phases(record.scenario)
    rows = []
    for time_us in times:
        before, after = every.at(time_us - 1), every.at(time_us)
        changes = [
            f"{dotted(path)}: {_said(old)} to {_said(new)}"
            for path, old, new in differing(before.model_dump(), after.model_dump())
        ]
        rows.append([duration(time_us), listed(changes)])
    return Table("What changed, and when", ["after", "what"], rows, texts=2).html()


def _said(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
