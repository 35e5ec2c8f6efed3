"""What was found: a paragraph to quote, and the key figures, each with its definition."""

from collections.abc import Callable, Sequence

from sim.metrics import Figures, Summary, dictionary, usd_of_gas
from sim.report.frontier import Frontier
from sim.report.hull import cost_of
from sim.report.markup import Html, Table, join, tag
from sim.report.reading import Record
from sim.report.wording import (
    NONE,
    capital,
    counted,
    dollars,
    duration,
    listed,
    number,
    percent,
    whole,
)
from sim.units import MICROS_PER_USD

Value = float | None
KEY_FIGURES: dict[str, tuple[str, Callable[[Figures], Value], Callable[[Value], str]]] = {
    "success_rate": ("Tasks solved in time", lambda f: f.success_rate, percent),
    "cost_per_success_micros": (
        "Cost per success", lambda f: f.cost_per_success_micros, dollars,
    ),
    "spend_micros": ("Spend", lambda f: f.spend_micros, dollars),
    "calls.made": ("Calls", lambda f: f.calls.made, whole),
    "latency_us.p50": ("Median latency", lambda f: f.latency_us.p50, duration),
    "latency_us.p95": ("95 % latency", lambda f: f.latency_us.p95, duration),
    "market.hhi_spend": ("Concentration", lambda f: f.market.hhi_spend, whole),
    "market.regret_micros": ("Regret", lambda f: f.market.regret_micros, dollars),
    "market.welfare_micros": ("Welfare", lambda f: f.market.welfare_micros, dollars),
}  # fmt: skip
TILES = (
    "success_rate", "cost_per_success_micros", "spend_micros", "calls.made", "latency_us.p95",
    "market.hhi_spend",
)  # fmt: skip


def term(name: str, text: str) -> Html:
    """A link from a metric's words to its definition, which also shows as a tooltip."""
    return tag("a", text, href=f"#metric-{name.replace('.', '-')}", class_="term", data_term=name)


def tiles(figures: Figures) -> Html:
    """The figures that matter most, large."""
    made = []
    for name in TILES:
        words, value, shown = KEY_FIGURES[name]
        made.append(
            tag("div", tag("dt", term(name, words)), tag("dd", shown(value(figures))))
        )  # fmt: skip
    return tag("dl", *made, class_="tiles")


def key_table(records: Sequence[Record]) -> Html:
    """The key figures of several runs side by side, with the change against the first."""
    rows = []
    for name, (words, value, shown) in KEY_FIGURES.items():
        values = [value(record.figures) for record in records]
        cells = [shown(values[0])]
        for each in values[1:]:
            cells.append(join([shown(each), " ", tag("small", _change(name, values[0], each))]))
        rows.append([term(name, words), *cells])
    heads = ["", *(record.label for record in records)]
    caption = "Key figures; in small print the change against the first run"
    return Table(caption, heads, rows).html()


def _change(name: str, first: Value, value: Value) -> str:
    if first is None or value is None:
        return ""
    if name == "success_rate":
        return f"{_sign(100 * (value - first))} points"
    return f"{_sign(100 * (value / first - 1))} %" if first else ""


def _sign(value: float) -> str:
    text = f"{value:+,.1f}".replace("-", "−")
    return "± 0" if text in ("+0.0", "−0.0") else text


def paragraph(record: Record, every: Sequence[Frontier]) -> Html:
    """What was found, to quote."""
    figures = record.figures
    market = [_tasks(figures), _money(figures), _concentration(figures)]
    rest = [
        _against_hull(every), _regret(figures), _latency(figures), _settlement(record),
        _laws(record),
    ]  # fmt: skip
    first, second = (" ".join(sentence for sentence in part if sentence) for part in (market, rest))
    return join([tag("p", first, class_="finding"), tag("p", second)])


def _tasks(figures: Figures) -> str:
    tasks = figures.tasks
    lost = [
        f"{whole(count)} {words}"
        for count, words in (
            (tasks.failed, "failed"), (tasks.rejected, "were turned away"),
            (tasks.expired, "ran out of time"), (tasks.open, "were still open"),
        )
        if count
    ]  # fmt: skip
    rest = f"; {listed(lost)}" if lost else ""
    return (
        f"Of {whole(tasks.posted)} tasks posted in {duration(figures.duration_us)} of simulated "
        f"time, {percent(figures.success_rate)} were solved in time{rest}."
    )


def _money(figures: Figures) -> str:
    own = figures.conduct.self_host_micros
    if not figures.spend_micros and not own:
        return "No money was spent."
    machines = f" and {dollars(own)} was paid for agents’ own machines" if own else ""
    return (
        f"{dollars(figures.spend_micros)} bought {whole(figures.calls.made)} calls{machines}, "
        f"{dollars(figures.cost_per_success_micros)} per task solved."
    )


def _concentration(figures: Figures) -> str:
    if len(figures.models) < 2 or not figures.calls.made:
        return ""
    name, first = max(figures.models.items(), key=lambda pair: (pair[1].share_spend, pair[0]))
    return (
        f"{name} took {percent(first.share_spend, 0)} of the spend with "
        f"{percent(first.share_calls, 0)} of the calls and gave "
        f"{percent(first.share_success, 0)} of the right answers; the Herfindahl index of spend "
        f"is {whole(figures.market.hhi_spend)} of 10,000."
    )


def _against_hull(every: Sequence[Frontier]) -> str:
    """The market against the Zero router, on the intent with most calls."""
    if not every or every[0].gap is None:
        return ""
    first = every[0]
    cost, quality = first.market.point
    gap = first.gap or 0.0
    where = "" if len(every) == 1 else f"On {first.intent.replace('_', ' ').lower()}, "
    same = cost_of(first.corners, quality)
    if gap < 0 or same is None:
        return capital(
            f"{where}the market did {number(-100 * gap)} points better than the best fixed mix of "
            f"single models at its cost of {dollars(cost * 1e6)} per 1,000 calls."
        )
    return capital(
        f"{where}the market got {percent(quality)} of calls right at {dollars(cost * 1e6)} per "
        "1,000; a fixed mix of single models would have reached "
        f"{percent(quality + gap)} for that money, "
        f"or the same quality at {dollars(same * 1e6)}."
    )


def _regret(figures: Figures) -> str:
    if not figures.calls.made:
        return ""
    each = figures.market.regret_micros / figures.calls.made
    return (
        f"Better picks would have been worth {dollars(figures.market.regret_micros)} more, "
        f"{dollars(each)} a call."
    )


def _latency(figures: Figures) -> str:
    latency = figures.latency_us
    if latency.p50 is None:
        return ""
    return (
        f"Half of the answers came within {duration(latency.p50)}, 95 % within "
        f"{duration(latency.p95)}."
    )


def gas_micros(gas: float, record: Record) -> float:
    """What gas costs at the scenario's prices, in micro-dollars."""
    return float(usd_of_gas(gas, record.scenario, record.figures.rail) * MICROS_PER_USD)


def _settlement(record: Record) -> str:
    chain, rail = record.chain, record.figures.rail
    if chain is None:
        return f"Settlement was modelled, not made: {dollars(rail.gas_micros)} of gas in all."
    said = {True: "ledger and contracts agree to the micro", False: "ledger and contracts DIFFER"}
    per_call = chain.gas_per_call
    cost = dollars(gas_micros(per_call, record)) if per_call is not None else NONE
    return (
        f"{whole(chain.calls_settled)} calls were settled in {whole(chain.transactions)} "
        f"transactions at {whole(per_call)} gas or {cost} each; "
        f"{said.get(bool(chain.parity))}."
    )


def _laws(record: Record) -> str:
    broken = [name for name, law in record.laws.items() if not law.ok]
    if not record.laws:
        return "The laws were not checked: the run ended before its summary."
    if broken:
        return f"BROKEN: {listed(broken)}."
    return f"All {counted(len(record.laws), 'law')} held."


def laws_table(record: Record) -> Html:
    """Every law with what was found and needed."""
    rows = [
        [
            f"{at}. {name.replace('_', ' ')}",
            tag("span", "held" if law.ok else "BROKEN", class_="held" if law.ok else "broken"),
            law.found, law.needed,
        ]
        for at, (name, law) in enumerate(record.laws.items(), 1)
    ]  # fmt: skip
    if not rows:
        return tag("p", "This run ended before its laws were checked.")
    return Table("Laws", ["law", "", "found", "needed"], rows, texts=4, hide_caption=True).html()


def definitions() -> Html:
    """The metric dictionary."""
    entries = (
        tag(
            "div", tag("dt", name, " ", tag("span", unit, class_="soft")), tag("dd", formula),
            id=f"metric-{name.replace('.', '-')}",
        )
        for name, unit, formula in dictionary(Summary)
    )  # fmt: skip
    return tag("dl", *entries, class_="definitions")
