"""The benchmarks: the straightforward program writes the engine's record, and counts are exact."""

import json
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.market import market, reference
from benchmarks.reports import CountError, Figure, Pins, Report
from benchmarks.routers import pool_of
from benchmarks.sizes import QUICK, ROOT
from sim.routers import LEARNERS, ROUTERS
from sim.scenario import load

SCARCE: dict[str, object] = {
    f"models.m{number:02}.capacity": {"slots": 2, "queue": 3} for number in range(1, 21)
}
HURRIED: dict[str, object] = {f"groups.{group}.deadline_s": 20 for group in ("chat", "coders")}
POOR: dict[str, object] = {f"groups.{group}.budget_usd": 0.2 for group in ("chat", "coders")}
FRUGAL: dict[str, object] = {f"groups.{group}.max_price_usd": 0.002 for group in ("chat", "coders")}
EQUAL = {f"models.m{number:02}.declared_quality": {"CHAT_COMPLETION": 0.9} for number in (5, 18)}
CHANGES: dict[str, tuple[dict[str, object], int]] = {
    "as it is": ({}, 1),
    "with another seed": ({}, 2),
    "scarce": ({**SCARCE, "groups.chat.retries": 4}, 3),
    "hurried and scarce": (SCARCE | HURRIED, 4),
    "poor": (POOR, 5),
    "frugal": (FRUGAL, 6),
    "paid for success, ties, the last verdict only": (
        {
            **EQUAL,
            "validators.score.verdicts": 1,
            "validators.noise": 0,
            "rail.settle_on": "success",
        },
        7,
    ),
    "other shares and noises": (
        {
            "router.shares_percent": [40, 30, 20, 10],
            "models.m20.latency.sigma": 0,
            "item_response.discrimination": 0.7,
        },
        8,
    ),
}


@pytest.mark.parametrize(("changes", "seed"), CHANGES.values(), ids=CHANGES)
def test_the_straightforward_program_writes_the_same_record(
    changes: dict[str, object], seed: int
) -> None:
    scenario = load(ROOT / "scenarios" / "bench-20.yaml", QUICK.changes(400) | changes, seed)
    engine, program = market(scenario), reference(scenario)
    assert (program.calls, program.digest) == (engine.calls, engine.digest)
    assert engine.events == engine.expected_events


@pytest.mark.parametrize("name", ["hello-market", "overload"])
def test_it_does_so_for_other_scenarios(name: str) -> None:
    changes: dict[str, object] = {"horizon_h": 0.2}
    if name == "overload":
        changes["models.sure.outages"] = None
    scenario = load(ROOT / "scenarios" / f"{name}.yaml", changes)
    assert reference(scenario).digest == market(scenario).digest


def test_the_pinned_calls_are_made() -> None:
    report = Report()
    Pins.read().check(report, QUICK.small, market(QUICK.scenario(QUICK.small)).calls)
    assert report.counts


def test_a_wrong_count_is_an_error() -> None:
    with pytest.raises(CountError, match="found 1, needed 2"):
        Report().exactly("calls", 1, 2)
    with pytest.raises(CountError, match="not pinned"):
        Pins({}, renew=False).check(Report(), 7, 1)


def test_targets_are_met_or_missed() -> None:
    assert Figure("speed", 2.0, target=2.0).met
    assert Figure("speed", 1.9, target=2.0).met is False
    assert Figure("memory", 1.6, target=1.5, at_most=True).met is False
    assert Figure("calls", 1.0).met is None


def test_the_quick_mode_asserts_counts_and_keeps_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "results.json"
    assert command.main(["engine", "--quick", "--out", str(kept)]) == 0
    assert "market over reference" in capsys.readouterr().out
    found = json.loads(kept.read_text())["workloads"]["engine"]
    assert found["counts"]["digest"]
    assert {"cpu", "cores", "memory_gb", "python", "numpy"} <= found["machine"].keys()
    assert command.main(["engine", "--quick"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.json"]


def test_the_quick_mode_compares_auctions_with_posted_price(tmp_path: Path) -> None:
    kept = tmp_path / "results.json"
    assert command.main(["auctions", "--quick", "--out", str(kept)]) == 0
    found = json.loads(kept.read_text())["workloads"]["auctions"]
    assert found["counts"]["digest_of_second-price"] != found["counts"]["digest_of_first-price"]
    assert found["figures"]["bids waiting for a slot"]["value"] > 20


def test_every_router_is_timed_at_both_sizes_of_the_pool(tmp_path: Path) -> None:
    kept = tmp_path / "results.json"
    assert command.main(["routers", "--quick", "--out", str(kept)]) == 0
    figures = json.loads(kept.read_text())["workloads"]["routers"]["figures"]
    for kind in ROUTERS:
        part, growth = figures[f"{kind}: routing of a call"], figures[f"{kind}: 200 models over 20"]
        assert 0 < part["value"] < 1 < growth["value"] * 100
        assert ("target" in part) == ("target" in growth) == (kind not in LEARNERS)


def test_a_larger_pool_is_the_same_models_again_and_again() -> None:
    base = QUICK.scenario(5)
    many = pool_of(base, 200, {"kind": "cheapest"})
    assert len(many.models) == 200
    assert many.models["m03-7"] == many.models["m03"] == base.models["m03"]
    assert pool_of(base, 20, base.router.model_dump()).models == base.models


def test_a_page_is_small_beside_the_library_that_draws_it(tmp_path: Path) -> None:
    kept = tmp_path / "results.json"
    assert command.main(["pages", "--quick", "--out", str(kept)]) == 0
    figures = json.loads(kept.read_text())["workloads"]["pages"]["figures"]
    assert 0 < figures["page beyond plotly.js"]["value"] < 3
    assert figures["report over run"]["value"] > 0


@pytest.mark.chain
def test_the_quick_mode_settles(tmp_path: Path) -> None:
    kept = tmp_path / "results.json"
    assert command.main(["settlement", "memory", "full", "--quick", "--out", str(kept)]) == 0
    found = json.loads(kept.read_text())["workloads"]
    assert found["settlement"]["counts"]["head"].startswith("0x")
    assert found["full"]["counts"]["parity"] == "True"
    assert found["memory"]["figures"]["held per call until it is saved"]["met"]


def test_an_unknown_workload_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        command.main(["nonsense"])
    assert refused.value.code == 2
    assert "there are engine, scaling" in capsys.readouterr().err


@pytest.mark.chain
def test_the_quick_mode_settles_by_every_rail(tmp_path: Path) -> None:
    kept = tmp_path / "rails.json"
    assert command.main(["rails", "--quick", "--out", str(kept)]) == 0
    found = json.loads(kept.read_text())["workloads"]["rails"]
    assert found["counts"]["channel: calls on the chain"] == 60
    assert "published: Raiden, open" in found["figures"]
