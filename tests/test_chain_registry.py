"""Registrations and epochs at the port: what is there, in which order, and what an audit finds."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from eth_abi.abi import decode

from sim.auditing import audit_saved
from sim.auditing.jobs import NO_JOBS
from sim.auditing.protocol import Told, acts_of
from sim.chain import Deployment, Rpc, load_deployment
from sim.chain.accounts import AccountKind, account, accounts
from sim.chain.acts import Acts, Enrolled, Epoch, Registered
from sim.chain.audits.events import Source, events
from sim.chain.audits.port import port_faults
from sim.chain.contracts import contract, created_address
from sim.chain.local.miners import MINER
from sim.chain.local.work import Work, failed
from sim.chain.merkle import keccak
from sim.chain.node import Node
from sim.chain.registering import BEFORE, Deed, Registering, Verb, deeds
from sim.chain.sender import Wallets
from sim.runner import Run, run
from tests.chain_helpers import anvil
from tests.scenarios_for_tests import CHAT, model, scenario
from tests.test_registry import moving

pytestmark = pytest.mark.chain
PURCHASES = {
    "least_usd": 1, "over_h": 1, "transaction_interval_s": 600, "pool_usd": 100_000,
    "pool_machina": 100_000,
}  # fmt: skip
STEPS = ("MinerRegistered", "MinerDeregistered", "EpochSubmitted")
ROOT = keccak(b"root")
EPOCH = Epoch(8, ROOT, ledger_micros=5, ledger_wei=6, bought_wei=6)
ROUTER = account(AccountKind.OPERATOR, 0)
PAYEES = tuple(each.address for each in accounts(AccountKind.MODEL, 2))
A, B = Enrolled("a", (CHAT,)), Enrolled("b", (CHAT, "FACT_CHECK"))
FIRST = Registered(0, 10_000, None, 7)
REST = (Registered(1, 20_000, None, None), Registered(0, 30_000, 7, 9))
ACTS = Acts(
    miners=(A, B), registrations=(FIRST, *REST), epochs=(EPOCH,),
    mints=False, epochs_before=0, epoch_s=3600, pool_micros=0, pool_wei=0, bought=(),
    pool_left=(0, 0), given=(), treasury_wei=0, bonds_wei=0,
)  # fmt: skip


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    with anvil() as url:
        yield url


@pytest.fixture(scope="module")
def elsewhere(node: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    what = moving(purchases=PURCHASES, emission={"epochs_before": 20})
    return run(what, out=tmp_path_factory.mktemp("registry") / "run", chain=node)


def kept(url: str, place: str, number: int) -> tuple[object, ...]:
    with Rpc(url) as rpc:
        return decode(MINER, rpc.view(place, contract("Port").call("getMiner", number)))


def test_every_registration_of_a_run_is_at_the_port_as_its_model_made_it(elsewhere: Run, node: str):
    assert elsewhere.ok, elsewhere.failure
    place = load_deployment(elsewhere.directory / "deployment.json").port
    found = [kept(node, place, number) for number in range(1, 9)]
    owners = [each.address.lower() for each in accounts(AccountKind.MODEL, 5)]
    farmer, gone, new, old, plain = owners
    assert [(row[0], row[3], row[6]) for row in found] == [
        (gone, False, 50_000), (old, False, 20_000), (plain, True, 10_000), (farmer, False, 10_000),
        (old, True, 60_000), (farmer, False, 10_000), (new, True, 30_000), (farmer, True, 10_000),
    ]  # fmt: skip
    assert all((row[5], row[7]) == (row[0], (CHAT,)) for row in found)
    assert len({row[4] for row in found}) == 8


def test_the_port_has_seen_registrations_and_epochs_in_the_order_of_the_run(
    elsewhere: Run, node: str
):
    deployment = load_deployment(elsewhere.directory / "deployment.json")
    with Rpc(node) as rpc:
        source = Source("Port", deployment.port, STEPS)
        seen = events(rpc, (source,), deployment.deploy_block, rpc.block().number)
        names = [f"{each.name[:6]} {each.indexed[0]}" for each in seen]
    assert names == [
        "MinerR 1", "MinerR 2", "MinerR 3", "MinerR 4",
        "MinerD 2", "MinerR 5", "MinerD 4", "MinerR 6", "EpochS 1", "MinerR 7",
        "MinerD 6", "MinerR 8", "EpochS 2", "MinerD 1",
    ]  # fmt: skip


def test_registering_takes_the_gas_that_the_summary_says(elsewhere: Run, node: str):
    deployment = load_deployment(elsewhere.directory / "deployment.json")
    with Rpc(node) as rpc:
        source = Source("Port", deployment.port, STEPS[:2])
        seen = list(events(rpc, (source,), deployment.deploy_block, rpc.block().number))
        before = {each.transaction for each in seen[:3]}
        during = {each.transaction for each in seen} - before
        gas = sum(rpc.receipt(name).gas_used for name in during)
    assert len(during) == 6
    assert elsewhere.summary.protocol.registry_gas == pytest.approx(gas, rel=0.02)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (pl.col("floor_micros") * 2, "registration 2 of old: minPriceUsdc is 20000 at the port"),
        (pl.col("left_us").fill_null(1), "registration 3 of plain: active is True at the port"),
        (pl.col("left_us") - 1, "step 5 at the port is MinerRegistered 5, "),
        (pl.col("model").reverse(), "registration 1 of farmer: miner is 0x"),
    ],
)
def test_a_registration_that_is_another_in_the_record_is_found(
    elsewhere: Run, tmp_path: Path, change: pl.Expr, fault: str
):
    for file in elsewhere.directory.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "registrations.parquet"
    pl.read_parquet(path).with_columns(change).write_parquet(path)
    found = audit_saved(tmp_path)
    assert not found.parity
    assert any(each.startswith(fault) for each in found.faults), found.faults


def test_a_registration_less_in_the_record_is_found(elsewhere: Run, tmp_path: Path):
    for file in elsewhere.directory.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "registrations.parquet"
    pl.read_parquet(path).head(-1).write_parquet(path)
    assert "8 registrations at the port, 7 in the record" in audit_saved(tmp_path).faults


def test_a_second_registration_replaces_the_first_and_the_last_is_given_up():
    assert deeds(ACTS) == [
        Deed(BEFORE, Verb.REGISTER, 0, 0, 1),
        Deed(BEFORE, Verb.REGISTER, 1, 0, 2),
        Deed(7, Verb.UPDATE, 0, 1, 3),
        Deed(9, Verb.DEREGISTER, 0, 3, 0),
    ]


@pytest.fixture(scope="module")
def free() -> Iterator[Rpc]:
    with Node(genesis_unix=None, automine=True) as own, Rpc(own.url) as rpc:
        yield rpc


def performed(rpc: Rpc, acts: Acts, payees: Sequence[str]) -> Deployment:
    """A new port on which the acts are done, models paid at these addresses."""
    place, nobody, owners = ROUTER.address, "0x" + 40 * "0", accounts(AccountKind.MODEL, 2)
    work, first = Work(rpc, ROUTER), rpc.block().number
    usdc, port = (created_address(place, work.sender.nonce + at) for at in (0, 1))
    work.add("USDC", None, contract("USDC").creation("USDC", "2"))
    terms = usdc, place, place, place, nobody, 3000, 1, 1
    work.add("Port", None, contract("Port").creation(terms))
    work.do()
    registering = Registering(acts, port, payees)
    wallets = Wallets(rpc, owners, rpc.quantity("eth_chainId"))
    for number, epoch in enumerate((*acts.epochs, None), 1):
        for each in chain(*registering.until(epoch.ended_us if epoch else None)):
            name, transaction = registering.prepare(each, wallets)
            work.sender.send([transaction])
            failed(rpc, [(name, transaction.hash)])
        if epoch is not None:
            paid = epoch.ledger_micros or 0, epoch.ledger_wei
            data = contract("Port").call("submitEpoch", number, epoch.root, [], *paid)
            work.add("an epoch", port, data)
            work.do()
    return Deployment(1, usdc, place, place, place, 200, first, port=port)


def test_a_port_that_has_what_the_record_has_is_without_fault(free: Rpc):
    assert port_faults(free, performed(free, ACTS, PAYEES), ACTS, free.block().number) == []


@pytest.mark.parametrize(
    ("done", "payees", "fault"),
    [
        (
            replace(ACTS, registrations=(FIRST._replace(floor_micros=20_000), *REST)), PAYEES,
            "registration 1 of a: minPriceUsdc is 20000 at the port, 10000 in the record",
        ),
        (
            ACTS, (ROUTER.address, PAYEES[1]),
            f"registration 1 of a: feeAddress is {ROUTER.address.lower()} at the port, ",
        ),
        (
            replace(ACTS, miners=(A._replace(intents=("FACT_CHECK",)), B)), PAYEES,
            "registration 1 of a: supportedIntents is ('FACT_CHECK',) at the port, ",
        ),
        (
            replace(ACTS, miners=(A._replace(model="z"), B)), PAYEES,
            "registration 3 of a: yamlUrl is telex:z at the port, telex:a in the record",
        ),
        (
            replace(ACTS, registrations=(FIRST, *REST[:-1], REST[-1]._replace(left_us=None))),
            PAYEES, "registration 3 of a: active is True at the port, False in the record",
        ),
        (
            replace(ACTS, epochs=(EPOCH._replace(ended_us=6),)), PAYEES,
            "step 2 at the port is EpochSubmitted 1, MinerDeregistered 1 in the record",
        ),
        (replace(ACTS, epochs=()), PAYEES, "step 4 at the port is MinerDeregistered 3, "),
        (
            replace(ACTS, epochs=(EPOCH._replace(root=keccak(b"other")),)), PAYEES,
            f"epoch 1 has the root {keccak(b'other').hex()}, {ROOT.hex()} by the record",
        ),
        (
            replace(ACTS, epochs=(EPOCH._replace(ledger_micros=7),)), PAYEES,
            "epoch 1: 7 micros were charged by the port, 5 by the record",
        ),
        (
            replace(ACTS, epochs=(EPOCH._replace(ledger_wei=7),)), PAYEES,
            "epoch 1: 7 wei were bought by the port, 6 by the record",
        ),
    ],
)  # fmt: skip
def test_a_port_that_has_anything_else_is_told_apart(
    free: Rpc, done: Acts, payees: Sequence[str], fault: str
):
    found = port_faults(free, performed(free, done, payees), ACTS, free.block().number)
    assert any(each.startswith(fault) for each in found), found


def test_what_others_register_after_a_run_is_none_of_it(free: Rpc):
    deployment = performed(free, ACTS, PAYEES)
    last, other = free.block().number, account(AccountKind.OPERATOR, 5)
    work = Work(free, other)
    terms = "telex:other", bytes(32), other.address, 10_000, [CHAT]
    work.add("another's", deployment.port, contract("Port").call("registerMiner", *terms))
    work.do()
    assert port_faults(free, deployment, ACTS, last) == []
    assert port_faults(free, deployment, ACTS, last + 1)


def test_a_model_of_no_canonical_intent_has_no_place_at_the_port():
    rules = {"kind": "telegraph", "purchases": {}}
    models = {"chat": model(), "art": model(quality={"POETRY": 0.5})}
    what = scenario(models, protocol=rules, intents=["POETRY", CHAT])
    rows = [
        {"model": name, "floor_micros": 10_000, "registered_us": None, "left_us": None}
        for name in models
    ]
    none = np.zeros(0, np.int64)
    told = Told([], [], rows, [], NO_JOBS, (none, none, none, none))
    assert acts_of(what, told).registrations == (Registered(1, 10_000, None, None),)
