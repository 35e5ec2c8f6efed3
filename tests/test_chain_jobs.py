"""On-chain jobs on a real chain: paid in, created, ended and swapped; and their audit."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest

from sim.auditing import audit_saved
from sim.auditing.protocol import recorded_acts
from sim.chain import Rpc, load_deployment, replay
from sim.chain.accounts import ROUTER_INDEX, AccountKind, account
from sim.chain.audits.telegraph import protocol_faults
from sim.chain.began import load_began
from sim.chain.blocks import OwnBlocks, ReorganisedError, Span
from sim.chain.contracts import contract, integer
from sim.chain.hiring import NOBODY
from sim.chain.local.jobs import OnChainData
from sim.chain.node import revert, snapshot
from sim.chain.performing import Performance
from sim.chain.sender import Sender, Transaction
from sim.chain.settlement import GENESIS_UNIX
from sim.chain.transactions import leave_blocks
from sim.rails import port_gas
from sim.record import History
from sim.runner import Run, resume, run
from sim.units import US_PER_HOUR
from sim.world import World
from tests.jobs_for_tests import MICROS, hiring, jobbed
from tests.scenarios_for_tests import CHAT, group

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(hiring(), out=tmp_path_factory.mktemp("jobs") / "run")


def test_jobs_are_on_the_chain_to_the_last_wei(ended: Run) -> None:
    assert ended.ok, ended.failure
    assert ended.summary.chain.parity
    assert ended.summary.jobs.terminal > 50
    found = audit_saved(ended.directory)
    assert found.ok, found.faults
    assert found.jobs_recorded == ended.summary.jobs.terminal
    assert found.calls_recorded == found.calls_on_chain


def test_the_chain_makes_no_difference_to_the_record(ended: Run) -> None:
    alone = run(hiring(), out=ended.directory.parent / "alone", chain="none")
    assert alone.summary.digest == ended.summary.digest
    assert alone.summary.jobs == ended.summary.jobs
    assert alone.saved.frames.jobs.equals(ended.saved.frames.jobs)


def test_the_port_has_each_job_of_its_agent_and_nobodys_money(ended: Run) -> None:
    acts = recorded_acts(ended.saved)
    deployment = load_deployment(ended.directory / "deployment.json")
    port, token = contract("Port"), contract("USDC")
    cancelled = ended.saved.frames.jobs.filter(state="cancelled")
    assert len(cancelled) > 0  # they never went to the chain
    with replay(ended.directory) as again, Rpc(again.url) as rpc:
        count = integer(rpc.view(deployment.port, port.call("jobCount")))
        assert count == len(acts.jobs) == ended.summary.jobs.terminal
        (treasury,) = rpc.views(deployment.usdc, [token.call("balanceOf", deployment.treasury)])
        assert integer(treasury) == ended.summary.jobs.fee_micros
        wallets = [account(AccountKind.AGENT, at).address for at in range(3)]
        left = rpc.views(deployment.usdc, [token.call("balanceOf", each) for each in wallets])
        assert [integer(each) for each in left] == [0, 0, 0]


def test_the_modelled_gas_of_jobs_is_what_they_take(ended: Run) -> None:
    deployment = load_deployment(ended.directory / "deployment.json")
    port = contract("Port")
    topics = [port.topic(name) for name in ("JobCreated", "JobTerminal")]
    with replay(ended.directory) as again, Rpc(again.url) as rpc:
        logs = rpc.logs(deployment.port, topics, 0, rpc.block().number)
        receipts = rpc.receipts([log.transaction for log in logs])
    gas = sum(receipt.gas_used for receipt in receipts)
    assert ended.summary.jobs.gas == ended.summary.jobs.terminal * port_gas().per_job
    assert ended.summary.jobs.gas == pytest.approx(gas, rel=0.02)


def test_where_demand_has_passed_a_tier_the_port_asks_as_much_more(tmp_path: Path) -> None:
    busy = {"g": group(500, count=3, max_price_usd=4, value_usd=5, budget_usd=100)}
    what = jobbed(groups=busy, rules={"pricing": {}, "jobs": {"share_percent": 5}}, horizon_h=1.1,
                  chain={"backend": "anvil"})  # fmt: skip
    ended = run(what, out=tmp_path / "run")
    assert ended.ok, ended.failure
    assert set(ended.saved.frames.jobs["gross_micros"]) == {MICROS, MICROS * 3 // 2}
    deployment = load_deployment(ended.directory / "deployment.json")
    with replay(ended.directory) as again, Rpc(again.url) as rpc:
        topics = [contract("Port").topic("VolumeSet")]
        logs = rpc.logs(deployment.port, topics, 0, rpc.block().number)
    assert len(logs) == 1  # told once, where the multiplier moves


def test_beside_withdrawals_and_other_shares_every_micro_is_where_it_belongs(
    tmp_path: Path,
) -> None:
    withdrawing = {"every_h": "0.5", "keep_usd": 20}
    groups = {
        "a": group(40, max_price_usd=4, value_usd=5, budget_usd=100, withdrawal=withdrawing),
        "b": group(40, count=2, max_price_usd=4, value_usd=5, budget_usd=100),
    }
    events = [{"at_h": 1, "set": {"protocol.jobs.share_percent": 80}}]
    rules = {"pricing": {}, "jobs": {"share_percent": 10}}
    rail = {"kind": "prepaid", "timelock_h": "0.25"}
    what = jobbed(groups=groups, rules=rules, events=events, rail=rail, horizon_h=2.2,
                  chain={"backend": "anvil"})  # fmt: skip
    ended = run(what, out=tmp_path / "run")
    assert ended.ok, ended.failure
    assert ended.saved.frames.withdrawals["executed"].sum() > 0
    assert ended.summary.jobs.terminal > 50
    found = audit_saved(tmp_path / "run")
    assert found.ok, found.faults


# What an audit finds ------------------------------------------------------------------------------

Row = dict[str, object]
Change = Callable[[Row], Row]


def spoilt(ended: Run, directory: Path, table: str, change: Change) -> tuple[str, ...]:
    """What an audit finds of a copy of a run in which the first job paid, or its call, is another.

    An empty row is left out.
    """
    shutil.copytree(ended.directory, directory)
    first = ended.saved.frames.jobs.filter(state="terminal")["call_id"][0]
    path = directory / f"{table}.parquet"
    kept = pl.read_parquet(path)
    rows = [change(row) if row["call_id"] == first else row for row in kept.to_dicts()]
    pl.DataFrame([row for row in rows if row], schema=kept.schema).write_parquet(path)
    found = audit_saved(directory)
    assert not found.parity
    return found.faults


def more(column: str) -> Change:
    """One more in a column."""
    return lambda row: {**row, column: int(str(row[column])) + 1}


def toggled(column: str, one: str, two: str) -> Change:
    """The one for the other in a column."""
    return lambda row: {**row, column: two if row[column] == one else one}


@pytest.mark.parametrize(
    ("table", "change", "words"),
    [
        ("jobs", more("gross_micros"), "the port has"),
        ("jobs", more("fee_micros"), "payments by the port"),
        ("jobs", more("swap"), "jobs ended"),
        ("jobs", toggled("agent", "g/0", "g/1"), "jobs created"),
        ("jobs", toggled("intent", CHAT, "AGENT_TASK"), "jobs created"),
        ("jobs", toggled("model", "big", "small"), "earnings of model"),
        ("jobs", toggled("state", "terminal", "cancelled"), "jobs created"),
        ("jobs", lambda _: {}, "jobs created"),
        ("calls", lambda row: {**row, "answer_hash": bytes(32)}, "has the output"),
    ],
)
def test_a_job_that_was_another_is_found(
    ended: Run, tmp_path: Path, table: str, change: Change, words: str
) -> None:
    faults = spoilt(ended, tmp_path / "run", table, change)
    assert any(words in fault for fault in faults), faults


def test_what_others_do_at_the_port_after_a_run_is_no_part_of_it(ended: Run) -> None:
    acts, port, token = recorded_acts(ended.saved), contract("Port"), contract("USDC")
    deployment = load_deployment(ended.directory / "deployment.json")
    router = account(AccountKind.OPERATOR, ROUTER_INDEX)
    with replay(ended.directory) as again, Rpc(again.url) as rpc:
        last = rpc.block().number
        sender = Sender(rpc, router, deployment.chain_id, free=True)
        blocks = OwnBlocks(rpc, sender, GENESIS_UNIX, None)
        steps = (
            (deployment.usdc, token.call("mint", router.address, MICROS)),
            (deployment.usdc, token.call("approve", deployment.port, MICROS)),
            (deployment.port, port.call("depositUSDC", MICROS)),
            (deployment.port, port.call("createJob", bytes(32), OnChainData(), NOBODY)),
        )
        blocks.submit([sender.prepare(*step, 1_000_000) for step in steps], 0)
        assert protocol_faults(rpc, deployment, acts, last) == []
        faults = protocol_faults(rpc, deployment, acts, rpc.block().number)
        assert [fault.split(":")[0] for fault in faults] == ["jobs created"]


def test_a_record_of_jobs_whose_chain_has_no_port_is_found(ended: Run, tmp_path: Path) -> None:
    shutil.copytree(ended.directory, tmp_path / "run")
    path = tmp_path / "run" / "deployment.json"
    load_deployment(path).without_telegraph().save(path)
    found = audit_saved(tmp_path / "run")
    assert any("no port on the chain" in fault for fault in found.faults), found.faults


# What cuts a run short ----------------------------------------------------------------------------


def test_an_interrupted_run_leaves_its_jobs_off_the_chain_until_it_goes_on(
    ended: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(self: World) -> History:
        self.clock.after(US_PER_HOUR, lambda _: self.stop(), None)
        return whole(self)

    whole = World.run
    with monkeypatch.context() as patched:
        patched.setattr(World, "run", cut)
        found = run(hiring(), out=tmp_path / "run")
    assert found.ok, found.failure
    assert found.interrupted
    assert found.summary.jobs.terminal > 20
    assert audit_saved(tmp_path / "run").ok
    again = resume(tmp_path / "run")
    assert again.ok, again.failure
    assert again.summary.digest == ended.summary.digest
    assert again.summary.jobs == ended.summary.jobs
    assert audit_saved(tmp_path / "run").ok


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 0.95])
def test_jobs_that_a_kill_or_a_reorganisation_has_cut_short_are_done_once(
    ended: Run, tmp_path: Path, share: float
) -> None:
    """What of them is on the chain is gone with its blocks, and made anew from the first."""
    directory = tmp_path / "run"
    shutil.copytree(ended.directory, directory)
    path = directory / "deployment.json"
    load_deployment(path).without_telegraph().save(path)
    began, last = load_began(directory), ended.saved.manifest.chain
    assert began is not None
    assert last is not None
    assert began.acts_block is not None
    leave_blocks(directory, began.acts_block + int(share * (last.last_block - began.acts_block)))
    again = resume(directory)
    assert again.ok, again.failure
    assert again.summary.chain.head == ended.summary.chain.head
    assert audit_saved(directory).ok


class TakenBack(OwnBlocks):
    """An Anvil whose blocks are taken back once agents have paid in for their jobs."""

    start, paid_in = "", False

    def submit(self, transactions: Sequence[Transaction], seconds: int) -> Span:
        """As `OwnBlocks.submit`; after the deposits all that came before is gone."""
        self.start = self.start or snapshot(self.rpc)
        if self.paid_in:
            revert(self.rpc, self.start)
        selector = contract("Port").selector("depositUSDC")
        self.paid_in = any(selector in transaction.raw for transaction in transactions)
        return super().submit(transactions, seconds)


def test_no_job_goes_on_from_a_block_that_was_taken_back(ended: Run, tmp_path: Path) -> None:
    directory, began = tmp_path / "run", load_began(ended.directory)
    assert began is not None
    assert began.acts_block is not None
    shutil.copytree(ended.directory, directory)
    leave_blocks(directory, began.acts_block - 1)
    deployment = load_deployment(directory / "deployment.json").without_telegraph()
    acts, router = recorded_acts(ended.saved), account(AccountKind.OPERATOR, ROUTER_INDEX)
    with replay(directory) as again, Rpc(again.url) as rpc:
        sender = Sender(rpc, router, deployment.chain_id, free=True)
        blocks = TakenBack(rpc, sender, GENESIS_UNIX, None)
        with pytest.raises(ReorganisedError, match="the chain has taken back block"):
            Performance(blocks, deployment, acts, GENESIS_UNIX).run()
        assert rpc.block().number <= began.acts_block  # nothing but the block in hand
