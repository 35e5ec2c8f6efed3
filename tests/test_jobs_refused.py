"""On-chain jobs that a chain cannot show as the scenario has them: refused, all faults at once."""

from pathlib import Path

import pytest

from sim.facts import ScenarioError, ToolError
from sim.runner import run
from tests.jobs_for_tests import Mappings, hiring, jobbed
from tests.scenarios_for_tests import CHAT, demand, group, model


def test_jobs_that_the_port_would_price_otherwise_are_refused_all_at_once(tmp_path: Path) -> None:
    tiers = [{"requests": 0, "times": 1}, {"requests": 5, "times": 2}]
    rules: Mappings = {
        "jobs": {"base_price_usd": 2}, "epoch_h": 1, "purchases": {"pool_fee_ppm": 500},
        "pricing": {"tiers": tiers, "least_floor_usd": "0.001"},
        "emission": {"epochs_before": 120, "halving_epochs": 9000},
    }  # fmt: skip
    what = hiring(rules=rules, rail={"kind": "epoch-root", "fee_bps": 100},
                  events=[{"at_h": 1, "set": {"protocol.epoch_h": 2}}])  # fmt: skip
    with pytest.raises(ScenarioError) as caught:
        run(what, out=tmp_path / "run")
    assert {fault.path for fault in caught.value.faults} == {
        "rail.kind", "rail.fee_bps", "protocol.jobs.base_price_usd", "protocol.pricing.tiers",
        "protocol.pricing.least_floor_usd", "protocol.purchases.pool_fee_ppm", "protocol.emission",
        "protocol.epoch_h",
    }  # fmt: skip
    assert all("--chain none" in str(fault) for fault in caught.value.faults)
    assert not (tmp_path / "run").exists()
    assert run(what, out=tmp_path / "run", chain="none").ok


def test_jobs_need_a_pool_on_a_chain(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        run(hiring(rules={"purchases": None}), out=tmp_path / "run")
    assert [fault.path for fault in caught.value.faults] == ["protocol.purchases"]


def test_jobs_need_models_that_the_port_knows_by_an_intent(tmp_path: Path) -> None:
    what = jobbed(
        rules={"pricing": {}},
        models={"big": model("0.05", quality={"POETRY": 0.9}), "small": model("0.01")},
        groups={"g": group(40, max_price_usd=4, intents={"POETRY": demand()})},
        intents=[CHAT, "POETRY"],
        chain={"backend": "anvil"},
    )
    with pytest.raises(ScenarioError) as caught:
        run(what, out=tmp_path / "run")
    (fault,) = caught.value.faults
    assert (fault.path, fault.found) == ("models.big.quality", "POETRY")


def test_an_event_that_prices_jobs_anew_is_refused_on_a_chain(tmp_path: Path) -> None:
    events = [{"at_h": 1, "set": {"protocol.jobs.base_price_usd": "0.5"}}]
    with pytest.raises(ScenarioError, match="1, the port's base price"):
        run(hiring(events=events), out=tmp_path / "run")


def test_jobs_on_a_node_of_the_users_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="jobs paid for"):
        run(hiring(), out=tmp_path / "run", chain="http://127.0.0.1:1")
