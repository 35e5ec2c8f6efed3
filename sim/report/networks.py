"""Who pays whom and whose answers are right: groups against models, and the graphs' figures."""

from dataclasses import dataclass

import polars as pl

from sim.metrics.networks import NetworkFigures
from sim.report.markup import Html, Json, Table, join, tag
from sim.report.palette import Palette
from sim.report.picture import (
    Key,
    Layout,
    Picture,
    Trace,
    axis,
    layout,
    numbered,
    panel_title,
    plain,
    split,
)
from sim.report.reading import Record
from sim.report.wording import dollars, number, percent, shortened, whole

MODELS_MOST = 20
GROUPS_MOST = 12
ROW_PX = 30


@dataclass(frozen=True)
class Dealings:
    """What each group has to do with each model: charges, answers, right answers."""

    groups: tuple[str, ...]
    cells: dict[tuple[str, str], tuple[int, int, int]]

    def of(self, group: str, model: str) -> tuple[int, int, int]:
        """Micros charged, answers, right answers."""
        return self.cells.get((group, model), (0, 0, 0))

    def spend(self, group: str) -> int:
        """All that a group was charged, in micros."""
        return sum(micros for (who, _), (micros, _, _) in self.cells.items() if who == group)


def dealings_query(calls: pl.LazyFrame) -> pl.LazyFrame:
    """Charges, answers and right answers by group and model."""
    answered = pl.col("reason").is_in(["none", "wrong", "late"])
    return (
        calls.group_by(pl.col("group").cast(pl.String), pl.col("model").cast(pl.String))
        .agg(pl.col("charge_micros").sum(), answered.sum(), pl.col("success").sum())
        .sort("group", "model")
    )


def dealings_of(frame: pl.DataFrame) -> Dealings:
    """The dealings of a collected query; groups with most spend first."""
    cells: dict[tuple[str, str], tuple[int, int, int]] = {}
    spend: dict[str, int] = {}
    for group, model, micros, answers, right in frame.iter_rows():
        cells[group, model] = (int(micros), int(answers), int(right))
        spend[group] = spend.get(group, 0) + int(micros)
    order = sorted(spend, key=lambda group: (-spend[group], group))
    return Dealings(tuple(order), cells)


def networks_picture(record: Record, dealings: Dealings, palette: Palette) -> Picture:
    """The picture of who pays whom, and of whose answers are right."""
    models = [name for name in palette.models if name in record.models][:MODELS_MOST]
    groups = dealings.groups[:GROUPS_MOST]
    first = max(
        ((group, model) for group in groups for model in models),
        key=lambda pair: dealings.of(*pair)[0],
    )
    paid = percent(dealings.of(*first)[0] / (dealings.spend(first[0]) or 1))
    return Picture(
        id=f"networks-{record.key}",
        title="Who pays whom, and whose answers are right",
        caption="By group, the share of its spend that each model gets, and the share of each"
        " model’s answers to it that were right and in time.",
        alternative=f"A table of groups against models in colours: the greatest amount goes from"
        f" {first[0]} to {first[1]}, {paid} of the group’s spend.",
        traces=[
            _map(dealings, groups, models, 0, "of its spend"),
            _map(dealings, groups, models, 1, "of its answers right"),
        ],
        layout=_layout(len(groups), len(models)),
        narrow={"margin": {"l": 2, "r": 2}},
        table=_table(dealings),
        legend=[Key("0 to 100 %", "@heat1", "ramp", toggles=False)],
    )


def _map(
    dealings: Dealings, groups: tuple[str, ...], models: list[str], at: int, words: str
) -> Trace:  # fmt: skip
    def share(group: str, model: str) -> float | None:
        micros, answers, right = dealings.of(group, model)
        part, rest = (right, answers) if at else (micros, dealings.spend(group))
        return round(100 * part / rest, 1) if rest else None

    rows: Json = [[share(group, model) for model in models] for group in groups]
    return {
        "type": "heatmap", "x": [plain(shortened(name)) for name in models],
        "y": [plain(shortened(name)) for name in groups], "z": rows, "zmin": 0, "zmax": 100,
        "xgap": 2, "ygap": 2, "showscale": False,
        "colorscale": [[0, "@heat0"], [0.5, "@heat1"], [1, "@heat2"]],
        "hovertemplate": f"%{{y}}: %{{x}}<br>%{{z:.1f}} % {words}<extra></extra>",
        "xaxis": numbered("x", at), "yaxis": numbered("y", at),
    }  # fmt: skip


def _layout(groups: int, models: int) -> Layout:
    domains = split(2, 0.04)
    panels: Layout = {}
    for at, domain in enumerate(domains):
        panels[numbered("xaxis", at)] = axis(
            type="category", showgrid=False, dtick=1, tickangle=-45, domain=domain,
            anchor=numbered("y", at),
        )  # fmt: skip
        panels[numbered("yaxis", at)] = axis(
            type="category", showgrid=False, dtick=1, autorange="reversed",
            anchor=numbered("x", at), showticklabels=at == 0,
        )  # fmt: skip
    titles = [
        panel_title(text, domain[0], 1.01)
        for text, domain in zip(("Share of spend", "Right answers"), domains, strict=True)
    ]
    return layout(110 + ROW_PX * groups + min(130, 8 * models), annotations=titles, **panels)


def _table(dealings: Dealings) -> Table:
    rows = []
    for (group, model), (micros, answers, right) in dealings.cells.items():
        share = right / answers if answers else None
        rows.append([group, model, dollars(micros), whole(answers), percent(share)])
    return Table("Who pays whom", ["group", "model", "charged", "answers", "right"], rows, texts=2)


def structure_table(record: Record) -> Html:
    """What the payment and the trust graph look like, in figures."""
    graphs = (("payments", record.figures.payments), ("trust", record.figures.trust))
    rows = [_row(name, found) for name, found in graphs]
    heads = ["graph", "nodes", "ties", "Herfindahl", "Gini, models", "Gini, buyers", "communities",
             "modularity", "in isolated corners"]  # fmt: skip
    note = (
        "Isolated corners are communities of at most half of the weight that hardly deal with the"
        " rest: what sybils look like, and walls too. Both graphs are beside the record as GraphML."
    )
    return join([Table("Structure of the graphs", heads, rows).html(), tag("p", note)])


def _row(name: str, found: NetworkFigures) -> list[str]:
    ginis = ["–" if each is None else number(each) for each in (found.gini, found.gini_sources)]
    return [
        name, whole(found.nodes), whole(found.ties), whole(found.hhi), *ginis,
        whole(found.communities), number(found.modularity), percent(found.suspect_share),
    ]  # fmt: skip
