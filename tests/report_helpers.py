"""Handmade records and the pieces that the report's tests share."""

import re
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import polars as pl

from sim.record.archive import save
from sim.report.picture import Picture
from sim.runner import run
from sim.scenario import Scenario
from tests.scenarios_for_tests import group, model, scenario

VOID: Final = {"meta", "br", "hr", "link", "img", "input"}
S: Final = 1_000_000
Row = dict[str, object]
__all__ = ["Structure", "calls", "placed", "save", "two_models"]

COLUMNS: Final = {
    "model": "m", "intent": "CHAT", "group": "a", "posted_us": 0, "started_us": 0,
    "finished_us": 0, "input_tokens": 0, "output_tokens": 0, "charge_micros": 0,
    "success": False, "score_ppm": 0, "status": "settled", "reason": "none", "batch": None,
}  # fmt: skip


def calls(models: Sequence[str], rows: Sequence[Mapping[str, object]]) -> pl.LazyFrame:
    """A table of calls: what a row does not say stands in ``COLUMNS``."""
    whole = [{**COLUMNS, "model": models[0], **row} for row in rows]
    types: dict[str, pl.DataType | type[pl.DataType]] = {
        "model": pl.Enum(list(models)),
        "batch": pl.Int64,
        "status": pl.String,
    }
    return pl.DataFrame(whole, schema_overrides=types).lazy()


def two_models(**changes: object) -> Scenario:
    """Two models of two origins, two groups, about 350 tasks, no chain."""
    models = {
        "cheap": model("0.001", origin="CN", quality={"CHAT_COMPLETION": 0.6}),
        "dear": model("0.01", origin="US", quality={"CHAT_COMPLETION": 0.9}),
    }
    groups = {"a": group(120, retries=1), "b": group(240)}
    base: dict[str, object] = {"horizon_h": 1, "router": {"kind": "random"}}
    return scenario(models, groups, **{**base, **changes})


def placed(directory: Path, what: Scenario) -> Path:
    """A run of the scenario, saved there."""
    return run(what, out=directory).directory


class Structure(HTMLParser):
    """Checks that elements nest, and keeps their attributes; scripts and styles are not read."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.faults.append(f"{tag} at {self.getpos()} has an attribute twice")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()} closes nothing")

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text.append(data)

    def of(self, tag: str) -> Iterator[dict[str, str | None]]:
        """The attributes of every element of a kind."""
        return (attributes for name, attributes in self.elements if name == tag)


def in_colours(picture: Picture) -> dict[str, object]:
    """The picture as plotly.js would get it, every colour name made black."""

    def plain(value: object) -> object:
        if isinstance(value, str):
            return "#000000" if re.fullmatch(r"@[a-z0-9]+(/\d+)?", value) else value
        if isinstance(value, Mapping):
            return {key: plain(part) for key, part in value.items()}
        return [plain(part) for part in value] if isinstance(value, Sequence) else value

    return {"data": plain(picture.traces), "layout": plain(picture.layout)}
