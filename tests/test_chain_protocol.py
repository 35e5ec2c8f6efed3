"""Telegraph on a real chain: miners, epoch roots, MACHINA and its purchases; and their audit."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest

from sim.auditing import audit_saved, can_perform
from sim.chain import Rpc, load_deployment, replay
from sim.chain.contracts import contract, integer
from sim.chain.deployment import TELEGRAPH
from sim.rails import RAILS
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


@pytest.mark.parametrize("who", ["validator", "author", "treasury"])
def test_another_reward_than_the_epochs_root_was_made_of_is_found(ended, tmp_path, who):
    """Validators' are in two tables, and the root holds both."""
    minted = (pl.col("kind") == "mint") & pl.col("target").cast(str).str.starts_with(who)
    late = minted & (pl.col("time_us") > 0)
    more = pl.when(late).then(pl.col("amount") + 1).otherwise("amount").alias("amount")
    faults = spoilt(ended, tmp_path / "reward", "transfers", more)
    assert [fault for fault in faults if fault.startswith("epoch 1 has the root")]


@pytest.mark.parametrize("column", ["reward_wei", "strikes", "slashed_wei"])
def test_a_validator_that_did_something_else_by_the_record_is_found(ended, tmp_path, column):
    faults = spoilt(ended, tmp_path / "judge", "validators", pl.col(column) + 1)
    assert [fault for fault in faults if fault.startswith("epoch 1 has the root")]


def test_epochs_say_what_was_charged_and_bought_in_each(ended):
    port, hour_us = contract("Port"), 3_600_000_000
    charges = ended.calls.select("finished_us", "charge_micros").rows()
    wei = ended.transfers.filter((pl.col("kind") == "swap") & (pl.col("asset") == "MACHINA"))
    bought = [(row["time_us"], int(row["amount"])) for row in wei.iter_rows(named=True)]
    place = load_deployment(ended.directory / "deployment.json").port
    with replay(ended.directory) as again, Rpc(again.url) as rpc:
        for epoch in (1, 2, 3):
            for view, rows in (("epochTotalUSDC", charges), ("epochTotalMachina", bought)):
                needed = sum(n for time, n in rows if (time - 1) // hour_us == epoch - 1)
                assert integer(rpc.view(place, port.call(view, epoch))) == needed > 0


@pytest.mark.parametrize("rail", ["batch", "transfer"])
def test_without_purchases_models_register_all_the_same_and_epochs_are_settled(tmp_path, rail):
    what = ruled(purchases=None).model_copy(update={"rail": RAILS[rail]()})
    ended = run(what, out=tmp_path / "run")
    assert ended.ok, ended.failure
    deployment = load_deployment(ended.directory / "deployment.json")
    assert deployment.port
    assert not deployment.uniswap_pool
    found = audit_saved(ended.directory)
    assert found.ok, found.faults
    path = ended.directory / "transfers.parquet"
    given = pl.col("target").cast(str).str.starts_with("author")
    more = pl.when(given).then(pl.col("amount") + 1).otherwise("amount").alias("amount")
    pl.read_parquet(path).with_columns(more).write_parquet(path)
    assert any("wei of MACHINA" in fault for fault in audit_saved(ended.directory).faults)


@pytest.mark.parametrize(
    "other",
    [
        ruled(emission={"epochs_before": 20, "halving_epochs": 10}),
        ruled([{"at_h": 1, "set": {"protocol.epoch_h": 2}}]),
    ],
)
def test_only_machina_stays_off_the_chain_where_its_contract_has_other_rules(tmp_path, other):
    ended = run(other, out=tmp_path / "run")
    assert ended.ok, ended.failure
    place = load_deployment(ended.directory / "deployment.json")
    assert not place.uniswap_pool
    with replay(ended.directory) as again, Rpc(again.url) as rpc:
        supply = rpc.view(place.machina, contract("MACHINA").call("totalSupply"))
        count = rpc.view(place.port, contract("Port").call("minerCount"))
    assert (integer(supply), integer(count)) == (0, 2)
    assert audit_saved(ended.directory).ok


def test_floors_that_the_port_does_not_take_stay_off_the_chain(tmp_path):
    assert can_perform(ruled())
    other = ruled(pricing={"least_floor_usd": "0.005"})
    assert not can_perform(other)
    ended = run(other, out=tmp_path / "run")
    assert ended.ok, ended.failure
    assert "port" not in json.loads((ended.directory / "deployment.json").read_text())
