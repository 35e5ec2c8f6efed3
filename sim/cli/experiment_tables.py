"""Experiments for people: progress while they run, and tables of what they found."""

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sim.cli.output import people, say
from sim.cli.tables import NONE, facts, filled, table

if TYPE_CHECKING:
    from sim.experiment.capacity import Capacity
    from sim.experiment.compare import Comparison, Difference
    from sim.experiment.jobs import Row
    from sim.experiment.replicate import Replicated
    from sim.experiment.selection import Selected
    from sim.experiment.sensitivity import Indices
    from sim.experiment.statistics import Interval
    from sim.experiment.sweep import Sweep
    from sim.experiment.tune import Question, Tuned

LINE_EVERY_S = 10.0
SHOWN = 40
HEADLINES = (
    "success_rate", "cost_per_success_micros", "spend_micros", "latency_us.p50", "latency_us.p95",
    "market.hhi_spend", "market.welfare_micros",
)  # fmt: skip


class ExperimentProgress:
    """Shows how many runs are done: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, quiet: bool) -> None:
        console = people()
        self.done = 0
        self._lines = not console.is_terminal and not quiet
        self._next_line = time.monotonic() + LINE_EVERY_S
        columns = (BarColumn(bar_width=None), MofNCompleteColumn(),
                   TextColumn("{task.description}"), TimeElapsedColumn())  # fmt: skip
        self._bar = Progress(*columns, console=console, transient=True,
                             disable=not console.is_terminal)  # fmt: skip
        self._task = self._bar.add_task("starting", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Takes the bar away."""
        self._bar.stop()

    def update(self, done: int, failed: int, asked: int, note: str) -> None:
        """Takes the state of the experiment."""
        self.done = done
        text = "runs" + (f", {failed} failed" if failed else "") + (f"  {note}" if note else "")
        if self._lines and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_EVERY_S
            say(f"{done} of {asked} {text}")
        self._bar.update(self._task, completed=done, total=asked, description=text)


def number(value: float | None) -> str:
    """A number to six digits, thousands set apart."""
    if value is None:
        return NONE
    if float(value).is_integer() or abs(value) >= 1e5:
        return f"{value:,.0f}"
    return f"{value:,.6g}"


def with_half(found: "Interval | None") -> str:
    """``12.3 ± 0.4``."""
    if found is None:
        return NONE
    return number(found.mean) + ("" if found.half_width is None else f" ± {half(found.half_width)}")


def half(width: float) -> str:
    """A half width to two digits, without an exponent if it is large."""
    return f"{width:,.0f}" if width >= 100 else f"{width:.2g}"


def show_replicated(name: str, found: "Replicated", warm_up_us: int) -> None:
    """Every metric's mean and interval."""
    rows = [(metric, number(each.mean), number(each.half_width), _percent(each.relative))
            for metric, each in found.metrics.items()]  # fmt: skip
    title = f"{name}: means of {len(found.rows)} replications, 95 % intervals"
    people().print(filled(table(title, ("metric", "mean", "±", "± %")), rows))
    if warm_up_us:
        say(f"warm-up of {warm_up_us / 3.6e9:.3f} h left out")
    if found.reached is not None:
        say("the precision is reached" if found.reached else "the precision is NOT reached")


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.2g}"


def show_sweep(plan: "Sweep", rows: Sequence["Row"]) -> None:
    """The headline metrics at each point, as means over the replications."""
    from sim.experiment.replicate import intervals

    paths = [parameter.path for parameter in plan.space.parameters]
    by_point: dict[int, list[Row]] = {}
    for row in rows:
        by_point.setdefault(row.point, []).append(row)
    made = table(
        f"{len(plan.points)} points", (*_short(paths), *HEADLINES[:2], HEADLINES[4]), texts=0
    )
    for point, mine in sorted(by_point.items())[:SHOWN]:
        means = intervals(mine)
        made.add_row(*(number(plan.points[point][path]) for path in paths),
                     *(with_half(means.get(HEADLINES[at])) for at in (0, 1, 4)))  # fmt: skip
    people().print(made)
    if len(plan.points) > SHOWN:
        say(f"the first {SHOWN} of {len(plan.points)} points; all are in results.parquet")


def _short(paths: Sequence[str]) -> list[str]:
    return [path if len(path) <= 24 else "..." + path[-21:] for path in paths]


def show_comparison(
    found: "Comparison", selected: "Selected | None", of: Sequence[str] | None
) -> None:
    """What the comparison says, metric by metric, and which design was selected."""
    for other, differences in found.differences.items():
        wanted = of or [name for name in HEADLINES if name in differences]
        title = f"{other} against {found.base}, {len(found.rows)} runs on common random numbers"
        rows = [(name, f"{differences[name].words} ({_against(differences[name])})")
                for name in wanted if name in differences]  # fmt: skip
        people().print(facts(title, rows))
        people().print()
    if selected is not None:
        names = list(found.means)
        order = [f"{names[design]} ({selected.reps[design]} runs)" for design in selected.order]
        say(f"selected with {selected.confidence:.0%} confidence: {names[selected.best]}")
        say(f"in order: {', '.join(order)}")


def _against(found: "Difference") -> str:
    base, other = found.means
    return f"{number(other)} against {number(base)}"


def show_tuned(question: "Question", found: "Tuned") -> None:
    """The best point, or the front."""
    if not found.best:
        say("no point that was tried keeps all conditions")
        return
    paths = [parameter.path for parameter in question.space.parameters]
    front = "the Pareto front" if len(question.objectives) > 1 else "the best"
    title = f"{front} of {len(found.trials)} trials: " + ", ".join(map(str, question.objectives))
    rows = [(*(number(trial.point[path]) for path in paths),
             *(with_half(trial.metrics.get(name)) for name in question.metrics))
            for trial in found.best[:SHOWN]]  # fmt: skip
    people().print(filled(table(title, (*paths, *question.metrics), texts=0), rows))


def show_indices(found: Sequence["Indices"]) -> None:
    """Every index of every parameter, by metric; the strongest parameter first."""
    for each in found:
        symbols = list(next(iter(each.of.values())))
        key = "mu_star" if "mu_star" in symbols else "ST"
        order = sorted(each.of.items(), key=lambda pair: -pair[1][key].value)
        made = table(f"{each.metric}: {each.method}, {each.runs} points", ("parameter", *symbols))
        for name, indices in order:
            made.add_row(name, *(f"{number(i.value)} ± {half(i.half_width)}"
                                 for i in indices.values()))  # fmt: skip
        people().print(made)


def show_capacity(found: "Capacity", per_hour: float) -> None:
    """Every load that was tried, and between which two the condition ceases to hold."""
    columns = ("load", "tasks per hour", found.condition.metric, "holds", "verdict")
    made = table(f"Loads tried for {found.condition.text}", columns)
    for probe in sorted(found.probes, key=lambda probe: probe.load):
        holds = ("yes" if probe.holds else "no") + ("" if probe.sure else ", not surely")
        made.add_row(f"{probe.load:g}", number(probe.load * per_hour), with_half(probe.value),
                     holds, probe.verdict)  # fmt: skip
    people().print(made)
    limits: Mapping[str, float | None] = {"holds at": found.holds, "no longer at": found.fails}
    rows = [(name, "no load tried" if load is None
             else f"{load:g} times the load, {number(load * per_hour)} tasks per hour")
            for name, load in limits.items()]  # fmt: skip
    people().print(facts("Capacity", rows))
