"""Progress on stderr, of a run and of many: a bar on a terminal, a line now and then elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from sim.cli.output import people, say
from sim.units import US_PER_HOUR, us_from_hours_nearest

LINE_EVERY_S = 10.0
SCALE = 1000


def simulated(us: int) -> str:
    """Simulated time in hours, as ``12.5 h``."""
    return f"{us / US_PER_HOUR:.1f} h"


class _Progress:
    """A bar with one column of its own beside it, and lines where there is no terminal."""

    def __init__(self, column: ProgressColumn, total: int | None, quiet: bool) -> None:
        console = people()
        self._lines = not console.is_terminal and not quiet
        self._next_line = time.monotonic() + LINE_EVERY_S
        self._bar = Progress(
            BarColumn(bar_width=None),
            column,
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=total)

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

    def say(self, words: str) -> None:
        """Says something at once, above the bar."""
        say(words)

    def _line(self, text: str) -> None:
        """Says a line, if lines are wanted and the last is some time ago."""
        if self._lines and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_EVERY_S
            say(text)


class RunProgress(_Progress):
    """Shows calls made, simulated time and calls settled while a run goes on.

    Args:
        horizon_h: where the run ends, if by time. quiet: show nothing unless on a terminal.
    """

    def __init__(self, horizon_h: float | None, quiet: bool) -> None:
        super().__init__(TextColumn("{task.percentage:>3.0f} %"), SCALE, quiet)
        self._horizon_us = us_from_hours_nearest(horizon_h) if horizon_h else None

    def update(
        self, calls: int, tasks: int, tasks_in_all: int | None, simulated_us: int, settled: int
    ) -> None:
        """Takes the state of the run."""
        text = f"{calls:,} calls  {simulated(simulated_us)} simulated  {settled:,} settled"
        self._line(text)
        done = tasks / tasks_in_all if tasks_in_all else 0.0
        if self._horizon_us:
            done = simulated_us / self._horizon_us
        self._bar.update(self._task, completed=min(1.0, done) * SCALE, description=text)


class ExperimentProgress(_Progress):
    """Shows how many runs of an experiment are done."""

    def __init__(self, quiet: bool) -> None:
        super().__init__(MofNCompleteColumn(), None, quiet)
        self.done = 0

    def update(self, done: int, failed: int, asked: int, note: str) -> None:
        """Takes the state of the experiment."""
        self.done = done
        text = "runs" + (f", {failed} failed" if failed else "") + (f"  {note}" if note else "")
        self._line(f"{done} of {asked} {text}")
        self._bar.update(self._task, completed=done, total=asked, description=text)
