"""``python -m benchmarks [NAME...]``: runs workloads, shows a table, keeps the figures by date."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.auctions import auctions
from benchmarks.chain import full, memory
from benchmarks.experiments import overhead, sweeping
from benchmarks.market import engine, scaling
from benchmarks.measuring import machine, tell
from benchmarks.pages import pages
from benchmarks.protocol import protocol
from benchmarks.rails import rails
from benchmarks.reports import CountError, Pins, Report
from benchmarks.routers import routers
from benchmarks.settling import settlement
from benchmarks.sizes import FULL, QUICK, Sizes

RESULTS = Path(__file__).with_name("results")
WORKLOADS: dict[str, Callable[[Sizes, Pins], Report]] = {
    "engine": engine,
    "scaling": scaling,
    "auctions": auctions,
    "protocol": protocol,
    "settlement": settlement,
    "rails": rails,
    "memory": memory,
    "full": full,
    "pages": pages,
    "sweeping": sweeping,
    "overhead": overhead,
    "routers": routers,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the workloads named, or all; status 1 if a count is wrong, whatever the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", metavar="NAME", help=" | ".join(WORKLOADS))
    parser.add_argument("--quick", action="store_true", help="small sizes: counts, not figures")
    parser.add_argument("--pin", action="store_true", help="pin the counts of a changed market")
    parser.add_argument("--out", type=Path, help="results; benchmarks/results/DATE.json otherwise")
    given = parser.parse_args(argv)
    if unknown := sorted(set(given.name) - WORKLOADS.keys()):
        parser.error(f"no workload {', '.join(unknown)}; there are {', '.join(WORKLOADS)}")
    record, reports = machine(), {}
    sizes, pins = QUICK if given.quick else FULL, Pins.read(renew=given.pin)
    for name in given.name or WORKLOADS:
        tell(f"{name}: {WORKLOADS[name].__doc__}")
        try:
            reports[name] = WORKLOADS[name](sizes, pins)
        except CountError as error:
            tell(f"{name}: {error}")
            return 1
    show(reports, judged=not given.quick)
    if given.out or not given.quick:
        keep(given.out or RESULTS / f"{datetime.now(UTC).date()}.json", record, reports)
    return 0


def show(reports: dict[str, Report], *, judged: bool) -> None:
    """The figures as a table on standard output; small sizes are not judged by their targets."""
    table = Table("workload", "figure", "value", "target", "")
    for name, report in reports.items():
        for figure in report.figures:
            limit = "" if figure.target is None else f"{'≤' if figure.at_most else '≥'} "
            target = "" if figure.target is None else f"{limit}{figure.target:g} {figure.unit}"
            verdict = {None: "", True: "met", False: "missed"}[figure.met if judged else None]
            value = f"{figure.value:,.{2 if abs(figure.value) < 100 else 0}f} {figure.unit}"
            table.add_row(name, figure.name, value, target, verdict)
            name = ""
        table.add_section()
    Console(width=110).print(table)


def keep(path: Path, record: dict[str, object], reports: dict[str, Report]) -> None:
    """Writes the results; those of other workloads of the same day stay."""
    kept = json.loads(path.read_text())["workloads"] if path.exists() else {}
    found = {name: {"machine": record, **report.as_json()} for name, report in reports.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"workloads": kept | found}, indent=2) + "\n")
    tell(f"kept in {path.name}")


if __name__ == "__main__":
    sys.exit(main())
