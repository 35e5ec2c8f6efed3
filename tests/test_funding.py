"""Agents get their money once on a node of the user's, whenever what gives it to them is killed."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sim.auditing import audit_saved
from sim.chain import Rpc, before, deploy, load_deployment
from sim.chain import funding as chain_funding
from sim.chain.accounts import ROUTER_INDEX, AccountKind, account
from sim.chain.blocks import ForeignBlocks, Span
from sim.chain.contracts import contract, integer
from sim.chain.deployment import NAME, Deployment
from sim.chain.node import CHAIN_ID
from sim.chain.rails import purses, way_of
from sim.chain.sender import Sender, Transaction
from sim.chain.settlement import ChainSetup
from sim.cli import main
from sim.facts import ChainError, ToolError
from sim.rails import rail_like
from sim.runner import resume
from tests.chain_helpers import DEPOSIT, FEE_BPS, anvil, forwarding, server, setup, until

pytestmark = pytest.mark.chain
AGENTS = 3


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    with anvil() as url:
        yield url


class Breaking(ForeignBlocks):
    """Blocks that end all after so many transactions, as a kill does: what was sent lands."""

    left = 1_000

    def submit(self, transactions: Sequence[Transaction], seconds: int) -> Span:
        if len(transactions) > self.left:
            super().submit(transactions[: self.left], seconds) if self.left else None
            raise KeyboardInterrupt
        self.left -= len(transactions)
        return super().submit(transactions, seconds)


def blocks_of(rpc: Rpc) -> Breaking:
    router = account(AccountKind.OPERATOR, ROUTER_INDEX)
    return Breaking(rpc, Sender(rpc, router, CHAIN_ID, free=False), warp=False)


def minted(rpc: Rpc, deployment: Deployment) -> int:
    """All USDC that there is, in micros."""
    return integer(rpc.view(deployment.usdc, contract("USDC").call("totalSupply")))


def foreign(directory: Path, kind: str) -> ChainSetup:
    made = setup(directory, agents=AGENTS)
    return replace(made, rail=rail_like(made.rail, kind), backend="http://127.0.0.1:1")


@pytest.mark.parametrize("kind", ["batch", "epoch-root", "x402-exact"])
def test_whoever_has_money_when_a_funding_breaks_off_gets_no_more(
    kind: str, node: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every transaction of it: mint, deposit and mandate of each agent, in blocks of two."""
    monkeypatch.setattr(chain_funding, "TRANSACTIONS_PER_BLOCK", 2)
    monkeypatch.setattr(purses, "TRANSACTIONS_PER_BLOCK", 2)
    run = foreign(tmp_path, kind)
    with Rpc(node) as rpc:
        deployment = deploy(rpc, FEE_BPS)
        way_of(blocks_of(rpc), deployment, run)  # an earlier run, with the same agents
        before.forget(tmp_path)
        for left in range(3 * AGENTS if kind != "x402-exact" else AGENTS):
            supply, first = minted(rpc, deployment), rpc.block().number + 1
            breaking = blocks_of(rpc)
            breaking.left = left
            with pytest.raises(KeyboardInterrupt):
                way_of(breaking, deployment, run)
            noted = before.load_before(tmp_path)
            assert noted is not None
            assert noted.first_block == first
            funded = way_of(blocks_of(rpc), deployment, run).funded
            assert minted(rpc, deployment) - supply == AGENTS * DEPOSIT
            there = noted.balances or noted.wallets
            assert funded.agent_balances == there == ((left + 1) * DEPOSIT,) * AGENTS
            before.forget(tmp_path)


def test_a_funding_that_is_not_broken_off_leaves_no_note(node: str, tmp_path: Path) -> None:
    assert main(["run", "hello-market", "--set", "tasks=3", "--chain", node, "--out",
                 str(tmp_path / "run")]) == 0  # fmt: skip
    assert not (tmp_path / "run" / before.NAME).exists()
    assert audit_saved(tmp_path / "run").ok


def test_a_run_killed_while_agents_get_their_money_goes_on_and_gives_the_rest(
    tmp_path: Path,
) -> None:
    """Killed with transactions in the pool of a node that mines by the second."""
    directory = tmp_path / "run"
    with anvil("--block-time", "1") as url, Rpc(url) as rpc:
        asked = ["run", "hello-market", "--set", "tasks=30", "--chain", url]
        command = [sys.executable, "-m", "sim", *asked, "--out", str(directory)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            until((directory / before.NAME).exists)
            router = account(AccountKind.OPERATOR, ROUTER_INDEX).address
            until(lambda: rpc.quantity("eth_getTransactionCount", router, "pending") > 5)
            process.kill()
        assert not (directory / "began.json").exists()
        contracts = load_deployment(directory / NAME)
        ended = resume(directory)
        assert ended.ok, ended.failure
        assert not (directory / before.NAME).exists()
        assert load_deployment(directory / NAME) == contracts
        budgets = sum(group.count * group.budget_usd for group in ended.scenario.groups.values())
        assert minted(rpc, contracts) == budgets * 10**6
        assert audit_saved(directory).ok


def test_a_funding_that_an_error_breaks_off_says_how_it_goes_on(
    node: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The node takes what is sent, and then no answer of it comes for a while."""
    directory, away = tmp_path / "run", [True]

    def lose(_: bytes) -> bool:
        return away[0] and (directory / before.NAME).exists()

    with server(forwarding(node, lose)) as url:
        asked = ["--set", "tasks=3", "--chain", url, "--out", str(directory)]
        assert main(["run", "hello-market", *asked]) == 2
        assert f"telex resume {directory} gives the rest" in capsys.readouterr().err
        away[0] = False
        assert main(["resume", str(directory)]) == 0
        assert "telex resume" not in capsys.readouterr().err


def test_a_damaged_note_is_refused(tmp_path: Path) -> None:
    (tmp_path / before.NAME).write_text("{}")
    with pytest.raises(ToolError, match="does not say what was there before"):
        before.load_before(tmp_path)


def test_who_was_given_other_money_meanwhile_is_named(node: str, tmp_path: Path) -> None:
    run = foreign(tmp_path, "x402-exact")
    with Rpc(node) as rpc:
        deployment, breaking = deploy(rpc, FEE_BPS), blocks_of(rpc)
        breaking.left = 1
        with pytest.raises(KeyboardInterrupt):
            way_of(breaking, deployment, run)
        other = blocks_of(rpc)
        gift = contract("USDC").call("mint", account(AccountKind.AGENT, 1).address, DEPOSIT + 1)
        other.submit([other.sender.prepare(deployment.usdc, gift, 100_000)], 0)
        with pytest.raises(ChainError, match="agent agent-1 could not be funded: found"):
            way_of(blocks_of(rpc), deployment, run)
