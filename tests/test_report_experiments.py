"""What the report says of experiments, against tables worked out by hand."""

from pathlib import Path

import polars as pl
import pytest

from sim.experiment.statistics import interval
from sim.experiment.store import Experiment
from sim.facts import ScenarioError
from sim.report import report
from sim.report.bests import best_in_words, best_point
from sim.report.forests import comparison_section, effects, forest_picture
from sim.report.indices import Found as Indices
from sim.report.indices import indices_picture, indices_section
from sim.report.loads import Found as Loads
from sim.report.measured import Measured, Metric, Point, open_experiment, result_of
from sim.report.page import plotly_js
from sim.report.pareto import front_of, pareto_picture
from sim.report.sweeps import curve_picture, heat_picture, shown_metrics
from tests.experiment_helpers import file_of, small, telex
from tests.report_helpers import Structure, in_colours

go = pytest.importorskip("plotly.graph_objects")  # untyped
RATE = Metric("success_rate", "Tasks solved in time", "share")
COST = Metric("cost_per_success_micros", "Cost per success", "micros")
CALLS = Metric("calls.made", "Calls", "calls")


def point(rate: float, cost: float, **labels: str | float) -> Point:
    return Point(labels, {RATE.name: interval([rate]), COST.name: interval([cost])}, 0)


def measured(
    points: list[Point], labels: tuple[str, ...], table: pl.DataFrame | None = None
) -> Measured:
    rows = table if table is not None else pl.DataFrame({"rep": [0], "point": [0]})
    experiment = Experiment(kind="sweep", designs={"small": small()})
    return Measured("e1", experiment, rows, labels, (RATE, COST, CALLS), tuple(points))


def test_the_front_holds_what_none_beats_in_both():
    points = [point(0.5, 10, p=1), point(0.9, 30, p=2), point(0.4, 20, p=3), point(0.9, 40, p=4)]
    assert [p.labels["p"] for p in front_of(points, COST, RATE)] == [1, 2]


def test_the_best_point_is_best_in_its_metrics_own_direction():
    points = [point(0.5, 10, p=1), point(0.9, 30, p=2)]
    rate, cost = (best_point(points, metric) for metric in (RATE, COST))
    assert rate is points[1]
    assert cost is points[0]
    assert best_point(points, CALLS) is None


def comparison() -> Measured:
    table = pl.DataFrame(
        {
            "point": [0, 0, 0, 1, 1, 1], "rep": [0, 1, 2, 0, 1, 2],
            "design": ["a"] * 3 + ["b"] * 3, "success_rate": [0.5, 0.6, 0.7, 0.55, 0.66, 0.77],
            "cost_per_success_micros": [100, 200, 300, 100, 200, 300],
            "calls.made": [10, 10, None, 11, 11, 11],
        }
    )  # fmt: skip
    points = [point(0.6, 200, design="a"), point(0.66, 200, design="b")]
    return measured(points, ("design",), table)


def test_effects_are_paired_by_seed():
    rate, cost, made = effects(comparison())
    assert rate.absolute.mean == pytest.approx(0.06)
    assert rate.relative is not None
    assert rate.relative.mean == pytest.approx(0.1)
    assert rate.better is True
    assert (cost.absolute.mean, cost.absolute.half_width, cost.better) == (0, 0, None)
    assert (made.absolute.reps, made.better) == (2, None)  # the third pair lacks its base


def test_a_comparison_says_what_is_sure():
    words = "".join(Structure(comparison_section(comparison())).text)
    assert "Against a, b: tasks solved in time +10" in words
    assert "cost per success" not in words.split("Numbers")[0].split("Differences")[0]


def test_plotly_knows_the_forests_attributes():
    what = comparison()
    go.Figure(in_colours(forest_picture(what, "a", ["b"], effects(what))))


def test_a_grid_of_two_parameters_is_a_heat_map_and_its_best_is_ringed():
    points = [
        point(rate / 10, 10 * rate, p=p, q=q)
        for rate, (p, q) in enumerate([(1.0, 2.0), (1.0, 3.0), (2.0, 2.0), (2.0, 3.0)], 1)
    ]
    what = measured(points, ("p", "q"))
    picture = heat_picture(what, "p", "q")
    heat, _, ring, _ = picture.traces
    assert heat["z"] == [[10.0, 30.0], [20.0, 40.0]]
    assert (ring["x"], ring["y"]) == (["2"], ["3"])
    go.Figure(in_colours(picture))
    assert [metric.name for metric in shown_metrics(what)] == [RATE.name, COST.name]


def test_a_single_parameter_is_a_curve_and_its_front_is_drawn():
    what = measured([point(0.5, 10, p=2.0), point(0.9, 30, p=1.0)], ("p",))
    picture = curve_picture(what, "p", 0, alone=True)
    assert (picture.traces[0]["x"], picture.traces[0]["y"]) == ([1.0, 2.0], [90.0, 50.0])
    front = pareto_picture(what)
    assert front is not None
    assert front.traces[1]["x"] == [1e-05, 3e-05]
    go.Figure(in_colours(picture))
    go.Figure(in_colours(front))


def test_failed_points_are_left_out_of_pictures_and_counted_in_words():
    failed = Point({"p": 3.0}, {}, 2)
    what = measured([point(0.5, 10, p=2.0), failed], ("p",))
    assert curve_picture(what, "p", 0, alone=True).traces[0]["x"] == [2.0]
    assert pareto_picture(what) is not None


def test_the_words_name_the_best_point_and_how_surely_it_is_ahead():
    table = pl.DataFrame(
        {"point": [0, 0, 0, 1, 1, 1], "rep": [0, 1, 2] * 2, "p": [1.0] * 3 + [2.0] * 3,
         "success_rate": [0.5, 0.6, 0.7, 0.55, 0.66, 0.74]}
    )  # fmt: skip
    points = [point(0.6, 1, p=1.0), point(0.65, 1, p=2.0)]
    told = best_in_words(measured(points, ("p",), table), [RATE]).replace("\u00a0", " ")
    assert told == (
        "Tasks solved in time is highest, 65.0 %, at p 2; "
        "ahead of p 1, by 5.0 % ± 2.5 % on common seeds."
    )


def index(value: float, half_width: float) -> dict[str, float]:
    return {"value": value, "half_width": half_width}


def test_sensitivity_says_what_moves_a_figure_and_what_does_not():
    of = {
        "a.weak": {"S1": index(0.01, 0.05), "ST": index(0.02, 0.06)},
        "a.strong": {"S1": index(0.7, 0.1), "ST": index(0.9, 0.1)},
    }
    found = Indices.model_validate({"method": "sobol", "runs": 64, "metrics": {RATE.name: of}})
    what = measured([point(0.5, 10, p=2.0)], ("p",))
    told = "".join(Structure(indices_section(what, found)).text).replace("\u00a0", " ")
    assert "moved most by a.strong, 0.9 ± 0.1 of its variance. Not surely moved by a.weak" in told
    picture = indices_picture("k", RATE, found.metrics[RATE.name], "sobol")
    assert [trace["y"] for trace in picture.traces] == [["a.weak", "a.strong"]] * 2
    go.Figure(in_colours(picture))


def test_a_result_of_another_version_is_refused(tmp_path: Path):
    (tmp_path / "result.json").write_text('{"slo": "x<1"}')
    with pytest.raises(ScenarioError, match="that this version does not read"):
        result_of(tmp_path, Loads)
    assert result_of(tmp_path / "none", Loads) is None


@pytest.mark.parametrize("kind", ["capacity", "sensitivity"])
def test_what_a_command_found_is_reported(kind: str, tmp_path: Path):
    asked = {
        "capacity": ("--slo", "latency_us.p95<60s", "--tolerance", "50%", "--reps", "2"),
        "sensitivity": ("--param", "router.floor=0.6:0.8", "--points", "4"),
    }
    directory = tmp_path / kind
    done = telex(kind, file_of(tmp_path, 30), *asked[kind], "--workers", 1, "--out", directory,
                 cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    text = report([directory])
    found = Structure(text.replace(plotly_js(), ""))
    assert not found.faults
    assert {"capacity": "Loads tried", "sensitivity": "Indices"}[kind] in "".join(found.text)
    assert report([directory]) == text


@pytest.mark.parametrize("kind", ["sweep", "compare"])
def test_a_saved_experiment_is_reported(kind: str, tmp_path: Path):
    from sim.experiment.compare import compare, comparison, named
    from sim.experiment.session import opened
    from sim.experiment.space import Parameter
    from sim.experiment.sweep import plan, sweep

    directory = tmp_path / kind
    if kind == "sweep":
        what = plan(small(), [Parameter.parse("tasks=20,30")])
        with opened(what.experiment, directory, 1) as session:
            sweep(what, session, 2)
    else:
        designs = named([("one", small()), ("two", small(router={"kind": "cheapest"}))])
        with opened(comparison(designs), directory, 1) as session:
            compare(designs, session, 2)
    assert open_experiment(directory, "e1").reps == 2
    text = report([directory])
    found = Structure(text.replace(plotly_js(), ""))
    assert not found.faults
    assert len(list(found.of("figure"))) >= 1
    assert report([directory]) == text
