"""The report's table of on-chain jobs, and that it is there only where there are any."""

from pathlib import Path

import pytest

from sim.report import write_report
from sim.report.jobs import jobs_section
from sim.report.reading import Record, open_runs
from sim.report.wording import dollars, whole
from sim.runner import run
from tests.jobs_for_tests import jobbed


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    directory = tmp_path_factory.mktemp("jobs") / "run"
    assert run(jobbed(), out=directory, chain="none").ok
    (opened,) = open_runs([directory])
    return opened


def test_the_table_says_of_every_model_how_many_jobs_it_had_and_what_they_brought(
    record: Record,
) -> None:
    assert record.jobs is not None
    shown = jobs_section(record, record.jobs)
    found = record.figures.jobs
    assert f"{whole(found.created)} jobs modelled" in shown
    assert f"cost {dollars(found.price_micros_mean)} $ each" in shown
    for name in ("big", "small"):
        mine = record.jobs.filter(model=name)
        cells = [name, whole(len(mine)), f"{dollars(int(mine['gross_micros'].sum()))} $"]
        assert all(f">{cell}<" in shown for cell in cells)


def test_the_page_has_it_and_that_of_a_run_without_jobs_has_not(
    record: Record, tmp_path: Path
) -> None:
    other = tmp_path / "plain"
    assert run(jobbed(rules={"jobs": None}), out=other, chain="none").ok
    pages = []
    for directory in (record.directory, other):
        pages.append(tmp_path / f"{directory.name}.html")
        write_report([directory], pages[-1])
    assert ["On-chain jobs" in page.read_text() for page in pages] == [True, False]
