"""The report in headless Chromium: no error, every picture drawn, every text legible."""

import json
import re
import shutil
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl
import pytest

from sim.report import write_report
from sim.report.page import plotly_js
from sim.units import US_PER_S
from tests.experiment_helpers import small
from tests.report_helpers import placed, two_models

pytestmark = pytest.mark.soak

OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTHS = (390, 768, 1280)
MILLION = 1_000_000
SECONDS_MOST = 13
TEXTS = """figure => {
  const plot = figure.querySelector(".plot").getBoundingClientRect();
  const shown = [...figure.querySelectorAll(".plot text")].filter(text =>
    text.textContent.trim() && getComputedStyle(text).visibility !== "hidden"
    && !text.closest(".hoverlayer, .legend"));
  return {
    id: figure.id, width: plot.width, left: plot.left, top: plot.top, bottom: plot.bottom,
    drawn: figure.querySelectorAll(
      ".plot .js-line, .plot .js-fill, .plot .point, .plot .hm image, .plot .sankey-link,"
      + " .plot .points path").length,
    texts: shown.map(text => {
      const box = text.getBoundingClientRect();
      return {text: text.textContent, size: parseFloat(getComputedStyle(text).fontSize),
              box: [box.left, box.top, box.right, box.bottom]};
    }),
  };
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Chromium, driven by Playwright, which is told to download nothing."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert path, f"this test needs one of {', '.join(BROWSERS)} on the path: apt install chromium"
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, args=OPTIONS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    """A report of one run, of two, and of a sweep with a comparison."""
    folder = tmp_path_factory.mktemp("pages")
    one = placed(folder / "one", two_models())
    two = placed(folder / "two", two_models(router={"kind": "cheapest"}))
    made = {"one": [one], "two": [one, two], "experiments": _experiments(folder)}
    for name, records in made.items():
        write_report(records, folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in made}


def _experiments(folder: Path) -> list[Path]:
    from sim.experiment.compare import compare, comparison, named
    from sim.experiment.session import opened
    from sim.experiment.space import Parameter
    from sim.experiment.sweep import plan, sweep

    paths = [folder / "sweep", folder / "compare"]
    texts = ["tasks=20,30,40", "models.dear.price.usd_per_call=0.01:0.03:3"]
    what = plan(small(), [Parameter.parse(text) for text in texts])
    with opened(what.experiment, paths[0], 2) as session:
        sweep(what, session, 2)
    designs = named([("one", small()), ("two", small(router={"kind": "cheapest"}))])
    with opened(comparison(designs), paths[1], 2) as session:
        compare(designs, session, 3)
    return paths


@pytest.fixture
def opened_page(browser, request, pages):
    """A page in a fresh profile, with all that it complained of and asked for."""
    name, width, theme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    page = context.new_page()
    page.faults = []
    page.on("console", lambda message: page.faults.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on(
        "request",
        lambda asked: (
            None
            if asked.url.startswith(("file:", "data:", "blob:"))
            else page.faults.append(asked.url)
        ),
    )
    page.goto(pages[name].as_uri())
    page.wait_for_selector("html[data-drawn=true]", timeout=60_000)
    page.wait_for_timeout(200)
    yield page
    context.close()


def every(*widths: int) -> pytest.MarkDecorator:
    cases = [
        (name, width, theme)
        for name in ("one", "two", "experiments")
        for width in widths
        for theme in ("light", "dark")
    ]
    return pytest.mark.parametrize("opened_page", cases, indirect=True, ids=str)


def single(name: str = "one", theme: str = "light") -> pytest.MarkDecorator:
    return pytest.mark.parametrize("opened_page", [(name, 1280, theme)], indirect=True, ids=str)


@every(*WIDTHS)
def test_every_picture_is_drawn_and_every_text_is_legible(opened_page):
    page = opened_page
    width = page.viewport_size["width"]
    assert page.faults == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    figures = [figure.evaluate(TEXTS) for figure in page.query_selector_all("figure")]
    assert figures
    for figure in figures:
        assert figure["drawn"], f"{figure['id']} is empty"
        _check_texts(figure, width)


def _check_texts(figure: dict[str, Any], width: int) -> None:
    assert figure["texts"], f"{figure['id']} has no text"
    for each in figure["texts"]:
        left, top, right, bottom = each["box"]
        where = f"{figure['id']} at {width}: {each['text']!r} {each['box']}"
        assert left >= figure["left"] - 2, where
        assert right <= figure["left"] + figure["width"] + 2, where
        assert top >= figure["top"] - 2, where
        assert bottom <= figure["bottom"] + 2, where
        assert each["size"] >= 10, where
    for a, b in combinations(figure["texts"], 2):
        across = min(a["box"][2], b["box"][2]) - max(a["box"][0], b["box"][0])
        down = min(a["box"][3], b["box"][3]) - max(a["box"][1], b["box"][1])
        where = f"{figure['id']} at {width}: {a['text']!r} meets {b['text']!r}"
        assert across <= 1.5 or down <= 2.5, where


@every(390, 1280)
def test_words_stand_out_from_the_paper(opened_page):
    found = opened_page.evaluate("""() => {
      const rgb = color => color.match(/[0-9.]+/g).slice(0, 3).map(Number);
      const paper = rgb(getComputedStyle(document.body).backgroundColor);
      return ["h1", "p", ".lead", "figcaption p", "caption", "summary", "nav a", ".tools button"]
        .map(name => document.querySelector(name)).filter(Boolean)
        .map(part => [part.className || part.tagName, rgb(getComputedStyle(part).color), paper]);
    }""")
    for name, ink, paper in found:
        assert _contrast(ink, paper) >= 4.5, name


def _contrast(a: list[float], b: list[float]) -> float:
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(rgb: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
              for c in (value / 255 for value in rgb)]  # fmt: skip
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@single()
def test_the_keyboard_reaches_the_theme_and_pictures_follow_it(opened_page):
    page = opened_page
    line = "document.querySelector('#queues-a .js-line').style.stroke"
    before = page.evaluate(line)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "theme"
    page.keyboard.press("Enter")
    page.wait_for_function(f"{line} !== {json.dumps(before)}")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.faults == []


@single()
def test_a_key_hides_its_band_and_shows_it_again(opened_page):
    page = opened_page
    bands = "document.querySelectorAll('#shares-model-a .js-fill').length"
    whole = page.evaluate(bands)
    button = page.locator("#shares-model-a .legend button").first
    button.press("Enter")
    page.wait_for_function(f"{bands} < {whole}")
    button.press("Enter")
    page.wait_for_function(f"{bands} === {whole}")


@single()
def test_a_definition_shows_beside_its_word(opened_page):
    page = opened_page
    page.locator(".term").first.focus()
    assert page.locator("#tip").inner_text() == "tasks succeeded / tasks posted"
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()


@single(theme="dark")
def test_every_picture_can_be_saved(opened_page, tmp_path):
    page = opened_page
    for figure in page.query_selector_all("figure"):
        name = figure.get_attribute("id")
        for kind, magic in (("svg", b"<svg"), ("png", b"\x89PNG")):
            with page.expect_download() as download:
                figure.query_selector(f"[data-save={kind}]").click()
            target = tmp_path / f"{name}.{kind}"
            download.value.save_as(target)
            assert download.value.suggested_filename == target.name
            assert target.read_bytes().startswith(magic)
    assert "Shares by model" in (tmp_path / "shares-model-a.svg").read_text()
    assert page.faults == []


@single(theme="dark")
def test_print_is_light_and_whole(opened_page):
    page = opened_page
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert page.faults == []


def test_a_million_calls_are_reported_quickly_and_small(tmp_path):
    run = placed(tmp_path / "run", two_models(horizon_h=12))
    _enlarge(run)
    started = perf_counter()
    size = write_report([run], tmp_path / "report.html")
    seconds = perf_counter() - started
    assert size - len(plotly_js().encode()) < 3_000_000
    assert seconds < SECONDS_MOST


def _enlarge(run: Path) -> None:
    """Repeats the run's calls, batches and transfers, one horizon later each time."""
    manifest = json.loads((run / "manifest.json").read_text())
    calls = pl.read_parquet(run / "calls.parquet")
    batches = pl.read_parquet(run / "batches.parquet")
    transfers = pl.read_parquet(run / "transfers.parquet")
    times = -(-MILLION // len(calls))
    step, last = manifest["duration_us"] + US_PER_S, len(batches)
    shift = np.arange(times)

    def repeated(table: pl.DataFrame, clocks: list[str], batch: int) -> pl.DataFrame:
        numbers = pl.Series("at", np.repeat(shift, len(table)))
        tall = pl.concat([table] * times).with_columns(numbers)
        moved = [(pl.col(name) + pl.col("at") * step).alias(name) for name in clocks]
        if batch:
            moved.append((pl.col("batch") + pl.col("at") * batch).alias("batch"))
        return tall.with_columns(moved).drop("at")

    instants = ["posted_us", "started_us", "finished_us"]
    repeated(calls, instants, last).write_parquet(run / "calls.parquet")
    repeated(batches, ["closed_us"], last).write_parquet(run / "batches.parquet")
    repeated(transfers, ["time_us"], 0).write_parquet(run / "transfers.parquet")
    manifest["duration_us"] = step * times
    (run / "manifest.json").write_text(json.dumps(manifest))
    assert re.fullmatch(r"[0-9a-f]{64}", manifest["digest"])
