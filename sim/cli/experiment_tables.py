"""Experiments for people: tables of what they found."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sim.cli.output import people, say
from sim.cli.tables import NONE, facts, filled, folded, table

if TYPE_CHECKING:
    from sim.experiment.best import Best
    from sim.experiment.capacity import Capacity
    from sim.experiment.compare import Comparison, Difference
    from sim.experiment.jobs import Row
    from sim.experiment.replicate import Replicated
    from sim.experiment.selection import Selected
    from sim.experiment.sensitivity import Index, Indices
    from sim.experiment.statistics import Interval
    from sim.experiment.sweep import Sweep
    from sim.experiment.tune import Question, Tuned
    from sim.report.measured import Metric
    from sim.scenario import Scenario

SHOWN = 40
HEADLINES = (
    "success_rate", "cost_per_success_micros", "spend_micros", "latency_us.p50", "latency_us.p95",
    "market.hhi_spend", "market.welfare_micros",
)  # fmt: skip


def number(value: float | None) -> str:
    """A number to six digits, thousands set apart."""
    if value is None:
        return NONE
    if float(value).is_integer() or abs(value) >= 1e5:
        return f"{value:,.0f}"
    return f"{value:,.6g}"


def units_of(scenarios: Iterable["Scenario"]) -> "Mapping[str, Metric]":
    """The metrics of some scenarios by name: each shows its values in its own unit."""
    from sim.experiment.measures import measures
    from sim.report.measured import Metric

    every = {name: each for scenario in scenarios for name, each in measures(scenario).items()}
    return {name: Metric(name, name, each.unit) for name, each in every.items()}


def told(metric: "Metric", found: "Interval | None") -> str:
    """A mean with its half width, as ``$0.0272 ± $0.0004``."""
    return NONE if found is None else metric.told(found)


def show_replicated(
    scenario: "Scenario", found: "Replicated", warm_up_us: int, of: Sequence[str] | None
) -> None:
    """The mean and interval of every metric, or of those that are meant."""
    metrics = units_of([scenario])
    rows = [(name, metrics[name].shown(each.mean),
             NONE if each.half_width is None else metrics[name].shown(each.half_width),
             _percent(each.relative))
            for name, each in found.metrics.items() if not of or name in of]  # fmt: skip
    title = f"{scenario.name}: means of {len(found.rows)} replications, 95 % intervals"
    people().print(filled(table(title, ("metric", "mean", "±", "± %")), rows))
    if warm_up_us:
        say(f"warm-up of {warm_up_us / 3.6e9:.3f} h left out")
    if found.reached is not None:
        say("the precision is reached" if found.reached else "the precision is NOT reached")


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.2g}"


def show_sweep(plan: "Sweep", rows: Sequence["Row"], of: Sequence[str] | None) -> None:
    """Some metrics at each point, as means over the replications, and which point is best."""
    from sim.experiment.replicate import intervals

    metrics = units_of([plan.space.scenario])
    shown = of or (*HEADLINES[:2], HEADLINES[4])
    paths = [parameter.path for parameter in plan.space.parameters]
    by_point: dict[int, list[Row]] = {}
    for row in rows:
        by_point.setdefault(row.point, []).append(row)
    heads = [folded(name) for name in (*paths, *shown)]
    made = table(f"{len(plan.points)} points", heads, texts=0)
    for point, mine in sorted(by_point.items())[:SHOWN]:
        means = intervals(mine)
        made.add_row(*(number(plan.points[point][path]) for path in paths),
                     *(told(metrics[name], means.get(name)) for name in shown))  # fmt: skip
    people().print(made)
    if len(plan.points) > SHOWN:
        say(f"the first {SHOWN} of {len(plan.points)} points; all are in results.parquet")
    for name in shown:
        _say_best(plan, rows, metrics[name])


def _say_best(plan: "Sweep", rows: Sequence["Row"], metric: "Metric") -> None:
    """Which point is best in a metric, and how surely; nothing for a metric without a best."""
    from sim.experiment.best import best_of, values_by_point

    best = best_of(values_by_point(rows, metric.name), metric.better)
    if best is not None and best.next is not None:
        say(f"best {metric.name}: {_at(plan, best.point)}; {_ahead(plan, best, metric)}")


def _at(plan: "Sweep", point: int) -> str:
    return ", ".join(f"{path}={number(value)}" for path, value in plan.points[point].items())


def _ahead(plan: "Sweep", best: "Best", metric: "Metric") -> str:
    after = f"of {_at(plan, best.next)}" if best.next is not None else ""
    if best.gap is None or best.gap.half_width is None:
        return f"ahead {after}, by how much surely takes --reps 2 or more"
    if not best.gap.mean and not best.gap.half_width:
        return f"no better than the next, that {after}"
    amount = f"{metric.shown(abs(best.gap.mean))} ± {metric.half(best.gap.half_width)}"
    return f"{'' if best.sure else 'not surely '}ahead {after}, by {amount}"


def show_comparison(
    designs: Iterable["Scenario"], found: "Comparison", selected: "Selected | None",
    of: Sequence[str] | None,
) -> None:  # fmt: skip
    """What the comparison says, metric by metric, and which design was selected."""
    metrics = units_of(designs)
    for other, differences in found.differences.items():
        wanted = of or [name for name in HEADLINES if name in differences]
        title = f"{other} against {found.base}, {len(found.rows)} runs on common random numbers"
        rows = [(name, f"{differences[name].words} ({_against(differences[name], metrics[name])})")
                for name in wanted if name in differences]  # fmt: skip
        people().print(facts(title, rows))
        people().print()
    if selected is not None:
        names = list(found.means)
        order = [f"{names[design]} ({selected.reps[design]} runs)" for design in selected.order]
        say(f"selected with {selected.confidence:.0%} confidence: {names[selected.best]}")
        say(f"in order: {', '.join(order)}")


def _against(found: "Difference", metric: "Metric") -> str:
    base, other = found.means
    return f"{metric.shown(other)} against {metric.shown(base)}"


def show_tuned(question: "Question", found: "Tuned") -> None:
    """The best point, or the front."""
    if not found.best:
        say("no point that was tried keeps all conditions")
        return
    paths = [parameter.path for parameter in question.space.parameters]
    metrics = units_of([question.space.scenario])
    front = "the Pareto front" if len(question.objectives) > 1 else "the best"
    title = f"{front} of {len(found.trials)} trials: " + ", ".join(map(str, question.objectives))
    rows = [(*(number(trial.point[path]) for path in paths),
             *(told(metrics[name], trial.metrics.get(name)) for name in question.metrics))
            for trial in found.best[:SHOWN]]  # fmt: skip
    people().print(filled(table(title, (*paths, *question.metrics), texts=0), rows))


def show_indices(scenario: "Scenario", found: Sequence["Indices"]) -> None:
    """Every index of every parameter, by metric; the strongest parameter first."""
    metrics = units_of([scenario])
    for each in found:
        symbols = list(next(iter(each.of.values())))
        key = "mu_star" if "mu_star" in symbols else "ST"
        order = sorted(each.of.items(), key=lambda pair: -pair[1][key].value)
        made = table(f"{each.metric}: {each.method}, {each.runs} points", ("parameter", *symbols))
        for name, indices in order:
            made.add_row(name, *(_index(metrics[each.metric], symbol, index)
                                 for symbol, index in indices.items()))  # fmt: skip
        people().print(made)


def _index(metric: "Metric", symbol: str, index: "Index") -> str:
    """An effect in the metric's own unit; a share of its variance as a number."""
    if symbol in ("S1", "ST"):
        return f"{index.value:.2f} ± {index.half_width:.2f}"
    return f"{metric.shown(index.value)} ± {metric.half(index.half_width)}"


def show_capacity(scenario: "Scenario", found: "Capacity", per_hour: float) -> None:
    """Every load that was tried, and between which two the condition ceases to hold."""
    metric = units_of([scenario])[found.condition.metric]
    columns = ("load", "tasks per hour", found.condition.metric, "holds", "verdict")
    made = table(f"Loads tried for {found.condition.text}", columns)
    for probe in sorted(found.probes, key=lambda probe: probe.load):
        holds = ("yes" if probe.holds else "no") + ("" if probe.sure else ", not surely")
        made.add_row(f"{probe.load:.3g}", f"{probe.load * per_hour:,.0f}",
                     told(metric, probe.value), holds, probe.verdict)  # fmt: skip
    people().print(made)
    limits: Mapping[str, float | None] = {"holds at": found.holds, "no longer at": found.fails}
    rows = [(name, "no load tried" if load is None
             else f"{load:.3g} times the load, {load * per_hour:,.0f} tasks per hour")
            for name, load in limits.items()]  # fmt: skip
    people().print(facts("Capacity", rows))
