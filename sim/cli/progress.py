"""Progress of a run on stderr: a bar on a terminal, a line now and then elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from sim.units import US_PER_HOUR, us_from_hours_nearest

LINE_EVERY_S = 10.0
SCALE = 1000


def simulated(us: int) -> str:
    """Simulated time in hours, as ``12.5 h``."""
    return f"{us / US_PER_HOUR:.1f} h"


class RunProgress:
    """Shows calls made, simulated time and calls settled while a run goes on.

    Args:
        horizon_h: where the run ends, if by time. quiet: show nothing unless on a terminal.
    """

    def __init__(self, console: Console, horizon_h: float | None, quiet: bool) -> None:
        self._console = console
        self._horizon_us = us_from_hours_nearest(horizon_h) if horizon_h else None
        self._lines = not console.is_terminal and not quiet
        self._next_line = time.monotonic() + LINE_EVERY_S
        self._bar = Progress(
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=SCALE)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def update(
        self, calls: int, tasks: int, tasks_in_all: int | None, simulated_us: int, settled: int
    ) -> None:
        """Takes the state of the run."""
        text = f"{calls:,} calls  {simulated(simulated_us)} simulated  {settled:,} settled"
        if self._lines and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_EVERY_S
            self._console.print(text, soft_wrap=True)
        done = tasks / tasks_in_all if tasks_in_all else 0.0
        if self._horizon_us:
            done = simulated_us / self._horizon_us
        self._bar.update(self._task, completed=min(1.0, done) * SCALE, description=text)
