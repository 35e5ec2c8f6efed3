"""The report as a whole: one file, sound, small, harmless, the same from the same record."""

import json
import re
import shutil
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from sim.chain import merkle
from sim.cli.reporting import report as report_command
from sim.facts import ScenarioError, ToolError
from sim.report import report, write_report
from sim.report.page import plotly_js
from sim.report.palette import palette_of
from sim.report.panels import (
    frontier_section,
    money_section,
    panels_of,
    prices_section,
    queues_section,
    scales_of,
    shares_section,
)
from sim.report.proofs import SAMPLES, sampled
from sim.report.reading import open_runs
from sim.report.settlement import settlement_picture
from tests.report_helpers import Structure, in_colours, placed, two_models
from tests.scenarios_for_tests import group, scenario

BYTES_MOST = 3_000_000
go = pytest.importorskip("plotly.graph_objects")  # untyped


@pytest.fixture(scope="module")
def directory(tmp_path_factory) -> Path:
    return placed(tmp_path_factory.mktemp("runs") / "small", two_models())


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Path:
    changed = two_models(router={"kind": "cheapest"}, seed=5)
    return placed(tmp_path_factory.mktemp("runs") / "other", changed)


@pytest.fixture(scope="module")
def page(directory) -> str:
    return report([directory])


def own(page: str) -> str:
    """The page without plotly.js."""
    return page.replace(plotly_js(), "")


def test_the_page_is_well_formed(page):
    found = Structure(own(page))
    assert not found.faults
    assert not found.open
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_link_leads_somewhere(page):
    found = Structure(own(page))
    ids = {attributes.get("id") for _, attributes in found.elements}
    links = [str(attributes["href"]) for attributes in found.of("a")]
    assert len(links) > 15
    assert [link for link in links if not link.startswith("#") or link[1:] not in ids] == []


def test_nothing_is_loaded(page):
    found = Structure(own(page))
    loads = [name for name, attributes in found.elements if "src" in attributes or name == "link"]
    assert loads == []
    assert not re.search(r"(?:src|href|action)\s*=\s*[\"']?\s*(?:https?:)?//", own(page))
    assert not re.search(r"@import|url\(", own(page))
    (policy,) = (a["content"] for a in found.of("meta") if "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


def test_the_page_is_small_beyond_plotly(page):
    assert len(own(page).encode()) < BYTES_MOST / 10


def test_the_same_record_gives_the_same_bytes(directory, page, tmp_path):
    moved = tmp_path / directory.name
    shutil.copytree(directory, moved)
    assert report([directory]) == page
    assert report([moved]) == page


def test_every_picture_has_words_a_table_and_buttons(page):
    found = Structure(own(page))
    figures = len(list(found.of("figure")))
    plots = [a for a in found.of("div") if a.get("class") == "plot"]
    saves = [a for a in found.of("button") if "data-save" in a]
    assert figures >= 7
    assert len(plots) == figures
    assert all(a["role"] == "img" and len(str(a["aria-label"])) > 40 for a in plots)
    assert len(saves) == 2 * figures
    assert all(a.get("aria-label") for a in saves)
    assert len(list(found.of("table"))) >= figures


def test_the_words_say_what_was_asked_and_found(page):
    words = " ".join("".join(Structure(own(page)).text).split())
    assert "two agents in two groups buy chat completion from two models from two" in words.lower()
    assert re.search(r"Of \d+ tasks posted in [\d.]+ min of simulated time, [\d.]+ % were", words)
    assert re.search(r"\$[\d.]+ bought \d+ calls, \$[\d.]+ per task solved", words)
    assert "All ten laws held." in words
    assert "success_rate" in words


def test_every_parameter_is_there(directory, page):
    document = json.loads((directory / "manifest.json").read_text())["scenario"]
    words = "".join(Structure(own(page)).text)

    def names(part: object) -> set[str]:
        if not isinstance(part, dict):
            return set()
        return set(part) | {name for value in part.values() for name in names(value)}

    assert {name for name in names(document) if name not in words} == set()


def test_plotly_knows_every_attribute(directory):
    (record,) = open_runs([directory])
    panels = panels_of(record)
    palette, scales = palette_of([record]), scales_of([panels])
    pictures = [
        *shares_section(panels, palette),
        *frontier_section(panels, palette, scales),
        *prices_section(panels, palette),
        *queues_section(panels, palette, scales),
        *money_section(panels, palette),
        settlement_picture(record, panels.gas, panels.delay),
    ]
    assert len(pictures) == 8
    for picture in pictures:
        go.Figure(in_colours(picture))


def test_text_of_a_scenario_is_harmless(directory, tmp_path):
    bad = "</script><img src=x onerror=alert(1)><b>"
    hostile = tmp_path / "<img src=x onerror=alert(2)>"
    shutil.copytree(directory, hostile)
    manifest = json.loads((hostile / "manifest.json").read_text())
    manifest["scenario"]["models"]["dear"]["sources"] = {"price": {"source": bad, "date": "2026"}}
    (hostile / "manifest.json").write_text(json.dumps(manifest))
    found = Structure(own(report([directory, hostile])))
    assert not found.faults
    assert list(found.of("img")) == []
    assert any(bad in text for text in found.text)
    assert any(hostile.name in text for text in found.text)


def test_runs_stand_side_by_side_and_say_where_they_differ(directory, other):
    text = report([directory, other])
    found = Structure(own(text))
    words = "".join(found.text)
    assert not found.faults
    assert len([a for a in found.of("div") if a.get("class") == "run"]) >= 14
    assert "router.kind" in words
    assert "2 runs" not in words
    assert "Two runs side by side" in words
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_a_run_stands_beside_itself_without_a_difference(directory):
    words = "".join(Structure(own(report([directory, directory]))).text)
    assert "The scenarios are the same, to the last parameter." in words
    assert "small (2)" in words


def test_the_same_model_has_the_same_colour_in_every_run(directory, other):
    records = open_runs([directory, other])
    palette = palette_of(records)
    assert {palette.model(name) for name in records[0].models} == {"@m0", "@m1"}


def test_a_run_that_ended_before_its_summary_is_reported(directory, tmp_path):
    cut = tmp_path / "cut"
    shutil.copytree(directory, cut)
    (cut / "summary.json").unlink()
    words = "".join(Structure(own(report([cut]))).text)
    assert "The laws were not checked" in words


def test_a_run_without_a_success_is_reported(tmp_path):
    nobody = scenario(groups={"a": group(max_price_usd="0.0001")}, horizon_h=1)
    words = "".join(Structure(own(report([placed(tmp_path / "run", nobody)]))).text)
    assert "No money was spent." in words


def test_all_that_are_no_records_are_named(directory, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ScenarioError) as caught:
        report([directory, tmp_path / "none", tmp_path / "empty"])
    assert [fault.path for fault in caught.value.faults] == [
        str(tmp_path / "none"), str(tmp_path / "empty"),
    ]  # fmt: skip


def test_a_file_that_cannot_be_written_is_said(directory, tmp_path):
    with pytest.raises(ToolError, match="cannot be written"):
        write_report([directory], tmp_path)


def test_the_command_writes_beside_the_run_and_says_so(directory, capsys):
    report_command([directory], json=True)
    printed = json.loads(capsys.readouterr().out)
    file = directory / "report.html"
    assert printed == {"ok": True, "report": str(file), "bytes": file.stat().st_size}
    assert report([directory]).encode() == file.read_bytes()


# What eyes without one kind of cone see of linear RGB (Machado, Oliveira, Fernandes 2009).
EYES = {
    "all cones": np.eye(3),
    "no red": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
    "no green": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
    "no blue": np.array([[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]),
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])
APART_LEAST = 12


def _lab(colour: str, eye: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    rgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(np.clip(XYZ @ np.clip(eye @ linear, 0, 1) / WHITE, 1e-4, None))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("family", ["m", "o"])
def test_colours_stay_apart_for_all_eyes(theme, family, eye, page):
    block = re.findall(r"\{([^}]*--paper[^}]*)\}", own(page))[theme]
    colours = dict(re.findall(rf"--({family}\d|other): (#\w{{6}})", block))
    assert len(colours) in (6, 9)
    seen = {name: _lab(colour, EYES[eye]) for name, colour in colours.items()}
    near = {
        (a, b): float(np.linalg.norm(seen[a] - seen[b]))
        for a, b in combinations(seen, 2)
        if np.linalg.norm(seen[a] - seen[b]) < APART_LEAST
    }
    assert near == {}


@pytest.mark.chain
def test_every_sampled_call_is_proved_to_its_root_and_a_changed_one_is_not(tmp_path):
    what = two_models(chain={"backend": "anvil"}, rail={"kind": "batch", "size": 50})
    directory = placed(tmp_path / "run", what)
    (record,) = open_runs([directory])
    found = sampled(record)
    assert len(found) == SAMPLES
    for call in found:
        assert call.proof is not None
        root, leaf = bytes.fromhex(call.root[2:]), bytes.fromhex(call.proof.leaf)
        beside = [bytes.fromhex(node) for node in call.proof.beside]
        assert merkle.proves(root, leaf, beside)
        assert not merkle.proves(root, leaf[::-1], beside)
    words = "".join(Structure(own(report([directory]))).text)
    assert f"{SAMPLES} of {SAMPLES} paths were made again from the record alone" in words
    assert found[0].transaction in words
    assert "Every balance in the contracts equals the ledger’s" in words
    dearer = record.calls.with_columns(pl.col("charge_micros") // 2)
    assert {call.proof for call in sampled(replace(record, calls=dearer))} == {None}
