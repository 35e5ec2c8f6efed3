"""The report's speed and size: the page of a long run, against that run."""

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.measuring import Seconds, apart, timed
from benchmarks.reports import Figure, Pins, Report
from benchmarks.sizes import Sizes
from sim.report import write_report
from sim.report.page import plotly_js
from sim.runner import run

A_THIRD, PAGE_MB = 1 / 3, 3.0
MB = 10**6


@dataclass(frozen=True, slots=True)
class Page:
    """A run's calls, what it took, what its page took, and the page's bytes beyond plotly.js."""

    calls: int
    run: Seconds
    page: Seconds
    own_bytes: int


def written(sizes: Sizes, tasks: int) -> Page:
    """A whole run without a chain, the least that one takes; and its page, from the directory."""
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "run"
        ended, ran = timed(partial(run, sizes.scenario(tasks), out=where, chain="none"))
        calls = ended.summary.calls.made
        del ended
        size, wrote = timed(partial(write_report, [where], Path(folder) / "report.html"))
    return Page(calls, ran, wrote, size - len(plotly_js().encode()))


def pages(sizes: Sizes, pins: Pins) -> Report:
    """The seconds of a long run's report over those of the run, and the size of its page."""
    report, found = Report(), apart(written, sizes, sizes.large)
    pins.check(report, sizes.large, found.calls)
    report.add(
        Figure("report over run", found.page.cpu / found.run.cpu, "", A_THIRD, at_most=True),
        Figure("report", found.page.wall, "s"),
        Figure("run", found.run.wall, "s"),
        Figure("page beyond plotly.js", found.own_bytes / MB, "MB", PAGE_MB, at_most=True),
    )
    return report
