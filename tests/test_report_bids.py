"""The picture of bids, asks and charges: its figures are those of the record."""

from pathlib import Path

import polars as pl
import pytest

from sim.report.bids import bids_picture, means_of
from sim.report.page import run_sections
from sim.report.reading import Record, open_runs
from sim.report.timeline import bins_for
from sim.runner import run
from tests.auctions import auction
from tests.scenarios_for_tests import scenario


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    out = tmp_path_factory.mktemp("bids") / "run"
    run(auction({"kind": "second-price"}, 3, 60, 1, reserve_usd="0.1"), out=out, chain="none")
    (record,) = open_runs([out])
    return record


def test_means_over_time_add_up_to_those_of_the_run(record: Record) -> None:
    bins = bins_for(record.manifest.duration_us, record.figures.calls.made, 60)
    means, calls = means_of(record, bins), record.calls.collect()
    of_bin = calls.group_by(bins.of("posted_us")).agg(pl.len(), pl.col("charge_micros").max())
    total = sum((means["bid"][at] or 0) * count for at, count, _ in of_bin.iter_rows())
    assert total / len(calls) * 10**6 == pytest.approx(record.figures.prices.bid_micros_mean, abs=1)
    for bid, won, charge, ask in zip(*means.values(), strict=True):
        if charge is not None and won is not None:
            assert (bid or 0) <= won
            assert (ask or 0) <= charge <= won


def test_the_picture_has_a_line_for_each_and_the_runs_figures_in_its_table(record: Record) -> None:
    picture = bids_picture(record)
    assert [trace["name"] for trace in picture.traces] == [key.name for key in picture.legend]
    assert ["mean ask", "$0.1"] in [list(row) for row in picture.table.rows]


def test_only_an_auction_has_it(record: Record, tmp_path: Path) -> None:
    assert "bids" in [section.id for section in run_sections([record])]
    run(scenario(tasks=30), out=tmp_path / "posted", chain="none")
    assert "bids" not in [section.id for section in run_sections(open_runs([tmp_path / "posted"]))]
