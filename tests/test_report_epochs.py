"""The report's panel of the protocol: scores by epoch, revocations, multipliers."""

from pathlib import Path

import pytest

from sim.report import write_report
from sim.report.epochs import busiest, tables_picture
from sim.report.palette import palette_of
from sim.report.reading import Record, open_runs
from sim.runner import run
from tests.scenarios_for_tests import CHAT, CODE, demand, group, lively, model, scenario


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    models = {
        "boaster": model(quality={CHAT: 0.4}, declared_quality={CHAT: 0.9}),
        "good": model(quality={CHAT: 0.8, CODE: 0.6}),
    }
    sizes = {CHAT: demand(9), CODE: demand(1)}
    tiers = [{"requests": 0, "times": 1}, {"requests": 100, "times": 2}]
    rules = {
        "kind": "telegraph",
        "epoch_h": 6,
        "spot_checks": {"every_s": 600, "tasks": 2000},
        "pricing": {"tiers": tiers},
    }
    what = scenario(models, {"g": group(60, intents=sizes)}, horizon_h=25, protocol=rules)
    directory = tmp_path_factory.mktemp("tables") / "run"
    assert run(what, out=directory, chain="none").ok
    (opened,) = open_runs([directory])
    return opened


def test_the_panel_shows_scores_revocations_and_multipliers(record: Record) -> None:
    assert record.epochs is not None
    picture = tables_picture(record, record.epochs, palette_of([record]))
    lines = [trace for trace in picture.traces if trace["mode"] == "lines"]
    crosses = [trace for trace in picture.traces if trace["mode"] == "markers"]
    scores = {str(line["name"]): line["y"] for line in lines if line["yaxis"] == "y"}
    assert set(scores) == {"boaster", "good"}
    assert [trace["name"] for trace in crosses] == ["boaster"]
    assert "one revocation" in picture.alternative
    times = {str(line["name"]): line["y"] for line in lines if line["yaxis"] == "y2"}
    chat, code = times[CHAT], times[CODE]
    assert chat == [2.0] * 5
    assert isinstance(code, list)
    assert code[0] == 1.0
    assert busiest(record.epochs) == CHAT


def test_the_report_has_the_panel_just_where_there_is_a_protocol(
    record: Record, tmp_path: Path
) -> None:
    assert run(lively(60), out=tmp_path / "plain", chain="none").ok
    for directory, wanted in ((record.directory, True), (tmp_path / "plain", False)):
        out = tmp_path / f"{wanted}.html"
        write_report([directory], out)
        assert ("Tables of the protocol" in out.read_text()) is wanted
