"""The page: sections in order, one column per run, everything it needs inside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from sim.report import asked, found, indices, loads, panels, steps
from sim.report.changes import changes_table
from sim.report.forests import comparison_section
from sim.report.markup import Html, folded, join, tag
from sim.report.measured import Measured, result_of
from sim.report.palette import palette_of
from sim.report.panels import Panels
from sim.report.picture import Picture
from sim.report.reading import Record
from sim.report.standings import standings
from sim.report.sweeps import sweep_section
from sim.report.wording import capital, counted, listed

ASSETS = files("sim.report")
CONTENT_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)


@dataclass(frozen=True)
class Section:
    """A section of the page: its place in the table of contents, and its content."""

    id: str
    title: str
    content: Html

    def html(self) -> Html:
        """The section element."""
        heading = tag("h2", self.title, id=f"{self.id}-title")
        named = f"{self.id}-title"
        return tag("section", heading, self.content, id=self.id, aria_labelledby=named)


def run_sections(records: Sequence[Record]) -> list[Section]:
    """The sections of one run, or of several side by side."""
    every = [panels.panels_of(record) for record in records]
    palette, scales = palette_of(records), panels.scales_of(every)

    def pictures(make: Callable[[Panels], Sequence[Picture]]) -> Html:
        return _columns(records, [join(each.html() for each in make(one)) for one in every])

    made = [
        Section("asked", "What was asked", _asked(records)),
        Section("found", "What was found", _found(records, every)),
        Section("shares", "Shares", pictures(lambda p: panels.shares_section(p, palette))),
        Section("standings", "Models and validators",
                _stacked(records, [standings(each) for each in records])),
        Section("changes", "What changed in mid-run",
                _columns(records, [changes_table(each) for each in records])),
        Section("frontier", "Cost and quality",
                pictures(lambda p: panels.frontier_section(p, palette, scales))),
        Section("prices", "Prices and scores",
                pictures(lambda p: panels.prices_section(p, palette))),
        Section("tables", "Tables of the protocol",
                pictures(lambda p: panels.tables_section(p, palette))),
        Section("bids", "Bids and asks", pictures(panels.bids_section)),
        Section("queues", "Queues and latency",
                pictures(lambda p: panels.queues_section(p, palette, scales))),
        Section("money", "Money", pictures(lambda p: panels.money_section(p, palette))),
        Section("steps", "Steps",
                _columns(records, [steps.steps_section(each.record, each.steps)
                                   for each in every])),
        Section("graphs", "Payments and trust",
                _columns(records, [panels.graphs_section(each, palette) for each in every])),
        Section("settlement", "Settlement",
                _columns(records, [panels.settlement_section(each) for each in every])),
        Section("laws", "Laws", _stacked(records, [found.laws_table(each) for each in records])),
        Section("parameters", "Parameters",
                _columns(records, [asked.parameters(each.scenario) for each in records])),
        Section("definitions", "Definitions", found.definitions()),
    ]  # fmt: skip
    return [section for section in made if section.content]


def _named(record: Record) -> Html:
    return tag("p", record.label, class_="run-name")


def _columns(records: Sequence[Record], contents: Sequence[Html]) -> Html:
    """Contents side by side, each under its run's name; one alone as it is."""
    if len(records) == 1:
        return contents[0]
    if not any(contents):
        return Html()
    columns = (
        tag("div", _named(record), content, class_="run")
        for record, content in zip(records, contents, strict=True)
    )
    return tag("div", *columns, class_="runs")


def _stacked(records: Sequence[Record], contents: Sequence[Html]) -> Html:
    """Contents one below the other, each under its run's name."""
    if len(records) == 1:
        return contents[0]
    return join(
        join([_named(record), content]) for record, content in zip(records, contents, strict=True)
    )


def _asked(records: Sequence[Record]) -> Html:
    if len(records) > 1:
        words = _columns(records, [asked.in_words(record) for record in records])
        return join([words, asked.differences(records)])
    scenario = records[0].scenario
    tables = [asked.models_table(scenario), asked.groups_table(scenario)]
    return join([asked.in_words(records[0]), asked.rules(scenario), *tables])


def _found(records: Sequence[Record], every: Sequence[Panels]) -> Html:
    words = [
        found.paragraph(record, each.frontiers)
        for record, each in zip(records, every, strict=True)
    ]  # fmt: skip
    if len(records) == 1:
        return join([words[0], found.tiles(records[0].figures)])
    return join([_columns(records, words), found.key_table(records)])


def experiment_section(measured: Measured, number: int) -> Section:
    """The section of one experiment, by its kind."""
    kind = measured.experiment.kind
    words = {"compare": "Comparison", "sweep": "Sweep", "tune": "Tuning"}
    title = f"{words.get(kind, capital(kind))} of {measured.name}"
    if kind == "compare":
        title = f"Comparison of {listed([*measured.experiment.designs])}"
    return Section(f"experiment-{number}", title, _experiment(measured, kind))


def _experiment(measured: Measured, kind: str) -> Html:
    if measured.labels == ("design",):
        return comparison_section(measured)
    if kind == "sensitivity" and (of := result_of(measured.directory, indices.Found)):
        return indices.indices_section(measured, of)
    if kind == "capacity" and (limits := result_of(measured.directory, loads.Found)):
        return loads.loads_section(measured, limits)
    return sweep_section(measured)


def document(records: Sequence[Record], experiments: Sequence[Measured]) -> str:
    """The page of runs and experiments together."""
    sections = [experiment_section(each, at + 1) for at, each in enumerate(experiments)]
    if records:
        sections = [*sections, *run_sections(records)]
    else:
        folds = [
            folded(name, asked.parameters(scenario), class_="block")
            for each in experiments
            for name, scenario in each.experiment.designs.items()
        ]
        sections.append(Section("parameters", "Parameters", join(folds)))
        sections.append(Section("definitions", "Definitions", found.definitions()))
    names = [*(each.name for each in experiments), *(each.scenario.name for each in records)]
    return page(listed(list(dict.fromkeys(names))), lead_of(records, experiments), sections)


def page(title: str, lead: Html, sections: Sequence[Section]) -> str:
    """The whole document."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=CONTENT_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content="Telex"),
        tag("title", title),
        tag("style", Html(_asset("report.css"))),
        tag("script", Html(_asset("theme.js"))),
    )
    links = join(
        tag("li", tag("a", section.title, href=f"#{section.id}")) for section in sections
    )  # fmt: skip
    contents = tag(
        "nav", tag("h2", "Contents", class_="unseen"), tag("ol", links), aria_label="Contents",
        id="contents",
    )  # fmt: skip
    toggle = tag(
        "button", "Dark", id="theme", type="button", aria_pressed="false",
        aria_label="Dark theme",
    )  # fmt: skip
    body = tag(
        "body",
        tag("a", "Skip to the report", href="#report", class_="skip"),
        tag("header", tag("div", tag("h1", title), lead), toggle),
        contents,
        tag("main", *(section.html() for section in sections), id="report"),
        tag("div", id="tip", role="tooltip", hidden=True),
        tag("script", Html(plotly_js())),
        tag("script", Html(_asset("report.js"))),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def lead_of(records: Sequence[Record], experiments: Sequence[Measured]) -> Html:
    """The line under the title: what records this is a report of."""
    if experiments or len(records) > 1:
        parts = [counted(len(experiments), "experiment")] if experiments else []
        parts += [counted(len(records), "run")] if records else []
        beside = " side by side" if len(records) > 1 else ""
        return tag("p", f"{capital(listed(parts))}{beside}", class_="lead")
    manifest = records[0].manifest
    return tag(
        "p", f"Seed {manifest.seed}, digest ", tag("code", manifest.digest[:16]),
        ", interrupted" if manifest.interrupted else "", class_="lead",
    )  # fmt: skip


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def plotly_js() -> str:
    """plotly.js, from the installed package."""
    return (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
