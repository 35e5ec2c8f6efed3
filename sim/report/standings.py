"""How models and validators came out: what each earned, and whose models answer which intent."""

from sim.metrics import Figures
from sim.report.markup import Html, Table, join
from sim.report.reading import Record
from sim.report.wording import NONE, dollars, percent, whole


def standings(record: Record) -> Html:
    """Tables of the models, of intents where there are several, of validators if there are any."""
    figures = record.figures
    made = [_models(figures)]
    if len(figures.intents) > 1 and len(figures.models) > 1:
        made.append(_intents(figures))
    if figures.judges:
        made.append(_validators(figures))
    return join(each.html() for each in made)


def _models(figures: Figures) -> Table:
    rows = [
        [
            name, whole(model.calls), percent(model.share_calls),
            NONE if model.score is None else f"{model.score:.3f}",
            dollars(model.revenue_micros), dollars(model.cost_micros),
            dollars(model.profit_micros),
        ]
        for name, model in sorted(figures.models.items(), key=lambda pair: -pair[1].calls)
    ]  # fmt: skip
    heads = ["model", "calls", "share", "score", "revenue", "cost", "profit"]
    return Table("Models: what they did and what they earned", heads, rows)


def _intents(figures: Figures) -> Table:
    rows = [
        [
            name, whole(one.calls), one.first or NONE, percent(one.first_share),
            one.second or NONE, percent(one.second_share),
        ]
        for name, one in figures.intents.items()
    ]  # fmt: skip
    heads = ["intent", "calls", "most by", "share", "then by", "share"]
    return Table("Whose models answer which intent", heads, rows)


def _validators(figures: Figures) -> Table:
    rows = [
        [
            name, whole(group.seated), whole(group.strikes), whole(group.ejected),
            whole(group.banned), whole(group.removed), f"{group.reward_machina:,.1f}",
            f"{group.slashed_machina:,.1f}", f"{group.net_machina_mean:,.2f}",
        ]
        for name, group in figures.judges.items()
    ]  # fmt: skip
    heads = [
        "validators", "seated", "strikes", "ejected", "banned", "removed", "reward", "slashed",
        "net each",
    ]  # fmt: skip
    return Table("Validators: seats, and the MACHINA they earned and lost", heads, rows)
