"""Events in the report: a line in every picture over time, and a table of what changed."""

from pathlib import Path

from sim.report import panels
from sim.report.changes import changes_table, marked
from sim.report.page import run_sections
from sim.report.palette import palette_of
from sim.report.reading import open_runs
from tests.report_helpers import placed, two_models

EVENTS = [
    {"at_h": 0.25, "kind": "price", "model": "dear", "factor": 0.5, "for_h": 0.25},
    {"at_h": 0.5, "kind": "ban", "origin": "CN", "groups": ["a"]},
    {"at_h": 0.75, "set": {"models.cheap.latency.sigma": 0.1, "router": {"kind": "cheapest"}}},
]


def test_every_picture_over_time_has_a_line_where_each_phase_begins(tmp_path: Path) -> None:
    (record,) = open_runs([placed(tmp_path / "a", two_models(events=EVENTS))])
    every, palette = panels.panels_of(record), palette_of([record])
    scales = panels.scales_of([every])
    pictures = [
        *panels.shares_section(every, palette),
        *panels.prices_section(every, palette),
        panels.queues_section(every, palette, scales)[0],
    ]
    for picture in pictures:
        shapes = picture.layout["shapes"]
        assert isinstance(shapes, list)
        axes = [key for key in picture.layout if key.startswith("xaxis")]
        assert len(shapes) == 3 * len(axes)
        assert {shape["x0"] for shape in shapes} == {15.0, 30.0, 45.0}
        assert "Dotted lines: events." in picture.caption


def test_the_table_says_what_changed_from_what_to_what(tmp_path: Path) -> None:
    (record,) = open_runs([placed(tmp_path / "a", two_models(events=EVENTS))])
    text = changes_table(record)
    assert "models.dear.price.usd_per_call: 0.01 to 0.005" in text
    assert "models.dear.price.usd_per_call: 0.005" in text
    assert "groups.a.requires.excluded_origins" in text
    assert "router.kind: random to cheapest" in text
    assert "models.cheap.latency.sigma: 0 to 0.1" in text
    assert "What changed in mid-run" in [each.title for each in run_sections([record])]


def test_a_run_without_events_has_neither(tmp_path: Path) -> None:
    (record,) = open_runs([placed(tmp_path / "a", two_models())])
    every = panels.panels_of(record)
    picture = panels.prices_section(every, palette_of([record]))[0]
    assert "shapes" not in picture.layout
    assert marked(picture, record, every.grid.bins) is picture
    assert "What changed in mid-run" not in [each.title for each in run_sections([record])]
