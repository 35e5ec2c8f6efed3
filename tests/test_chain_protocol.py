"""Telegraph on a real chain: miners, epoch roots, MACHINA and its purchases; and their audit."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest

from sim.auditing import audit_saved, can_perform
from sim.chain import load_deployment
from sim.chain.deployment import TELEGRAPH
from sim.runner import Run, run
from sim.scenario import Scenario
from tests.scenarios_for_tests import CHAT, group, model, scenario

pytestmark = pytest.mark.chain


def ruled(events: Sequence[Mapping[str, object]] = (), **changes: object) -> Scenario:
    """Two models, five validators, epochs of an hour, purchases of a dollar within an hour."""
    models = {"big": model("0.05"), "small": model("0.01", quality={CHAT: 0.5})}
    rules: dict[str, object] = {
        "kind": "telegraph",
        "epoch_h": 1,
        "spot_checks": {"every_s": 600, "tasks": 20, "revoke_below_percent": 100},
        "validators": {"all": {"kind": "honest", "count": 5}},
        "consensus": {"quorum": 3, "reduced_quorum": 3},
        "pricing": {},
        "emission": {"epochs_before": 20},
        "purchases": {
            "least_usd": 1, "over_h": 1, "transaction_interval_s": 600,
            "pool_usd": 100_000, "pool_machina": 100_000,
        },
        **changes,
    }  # fmt: skip
    chain = {"backend": "anvil"}
    return scenario(models, {"g": group(120)}, horizon_h=3.2, protocol=rules, chain=chain,
                    events=list(events))  # fmt: skip


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(ruled(), out=tmp_path_factory.mktemp("protocol") / "run")


def spoilt(ended: Run, directory: Path, table: str, change: pl.Expr) -> tuple[str, ...]:
    """What an audit finds of a copy of a run one of whose tables was changed."""
    directory.mkdir()
    for file in ended.directory.iterdir():
        (directory / file.name).write_bytes(file.read_bytes())
    path = directory / f"{table}.parquet"
    pl.read_parquet(path).with_columns(change).write_parquet(path)
    found = audit_saved(directory)
    assert not found.parity
    return found.faults


def test_a_protocols_acts_are_on_the_chain_to_the_last_wei(ended):
    assert ended.ok, ended.failure
    assert ended.summary.chain.parity
    assert ended.summary.protocol.bought_machina > 1
    deployment = load_deployment(ended.directory / "deployment.json")
    assert all(getattr(deployment, name) for name in TELEGRAPH)
    assert int(deployment.usdc, 16) < int(deployment.machina, 16)


def test_a_saved_run_replays_with_its_protocol_to_the_same_head(ended):
    found = audit_saved(ended.directory)
    assert found.ok, found.faults
    assert found.head == found.head_recorded


def test_defectors_and_other_rules_leave_the_acts_on_the_chain_as_they_are_in_the_record(tmp_path):
    west = {"kind": "honest", "count": 3}
    rules = {"validators": {"west": west, "rest": {"kind": "honest", "count": 2}},
             "discipline": {"audit_percent": 20}}  # fmt: skip
    events = [
        {"at_h": 0.7, "kind": "defection", "validators": ["west"], "favours": ["small"]},
        {"at_h": 1.2, "kind": "defection", "validators": ["west"], "copies": "rest"},
        {"at_h": 1.6, "set": {"protocol.consensus.quorum": 2, "protocol.tournament_tasks": 50,
                              "protocol.consensus.reduced_quorum": 2}},
    ]  # fmt: skip
    ended = run(ruled(events, **rules), out=tmp_path / "run")
    assert ended.ok, ended.failure
    assert ended.summary.judges["west"].banned
    assert ended.summary.judges["west"].slashed_machina > 0
    found = audit_saved(ended.directory)
    assert found.ok, found.faults


def test_one_wei_more_than_the_pool_gave_is_found(ended, tmp_path):
    bought = (pl.col("asset") == "MACHINA") & (pl.col("kind") == "swap")
    more = pl.when(bought).then(pl.col("amount") + 1).otherwise("amount").alias("amount")
    faults = spoilt(ended, tmp_path / "wei", "transfers", more)
    assert any("wei of MACHINA" in fault for fault in faults)


def test_another_score_than_the_epochs_root_was_made_of_is_found(ended, tmp_path):
    other = (pl.col("score_ppm") + 1).alias("score_ppm")
    faults = spoilt(ended, tmp_path / "root", "epochs", other)
    assert [fault for fault in faults if fault.startswith("epoch 1 has the root")]


def test_rules_that_the_contracts_do_not_have_stay_off_the_chain(tmp_path):
    assert can_perform(ruled())
    other = ruled(emission={"epochs_before": 20, "halving_epochs": 10})
    assert not can_perform(other)
    assert not can_perform(ruled([{"at_h": 1, "set": {"protocol.epoch_h": 2}}]))
    ended = run(other, out=tmp_path / "run")
    assert ended.ok, ended.failure
    assert "machina" not in json.loads((ended.directory / "deployment.json").read_text())
