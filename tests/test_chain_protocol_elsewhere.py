"""Telegraph's acts on a node of the user's: each once, and audited, or refused with a reason."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from sim.auditing import audit_saved
from sim.auditing.protocol import recorded_acts
from sim.chain import Rpc, deploy, load_deployment
from sim.chain.accounts import AccountKind, account
from sim.chain.blocks import ForeignBlocks
from sim.chain.deployer import KEY_VARIABLE
from sim.chain.deployment import TELEGRAPH
from sim.chain.performing import Performance
from sim.chain.sender import Sender
from sim.facts import ChainError, ToolError
from sim.protocols import Pricing
from sim.rails import BatchRail
from sim.runner import Run, resume, run
from sim.scenario import Scenario
from tests.chain_helpers import anvil
from tests.test_chain_protocol import ruled

pytestmark = pytest.mark.chain


def short() -> Scenario:
    """An epoch and a bit, in few batches, with few of MACHINA's epochs before it."""
    purchases = {
        "least_usd": "0.5", "over_h": "0.2", "transaction_interval_s": 600,
        "pool_usd": 1000, "pool_machina": 1000,
    }  # fmt: skip
    what = ruled(emission={"epochs_before": 2}, purchases=purchases)
    return what.model_copy(update={"horizon_h": 1.3, "rail": BatchRail(interval_s=3600)})


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    with anvil() as url:
        yield url


@pytest.fixture(scope="module")
def elsewhere(node: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(short(), out=tmp_path_factory.mktemp("elsewhere") / "run", chain=node)


def test_a_protocols_acts_are_done_on_a_node_of_the_users(elsewhere: Run) -> None:
    assert elsewhere.ok, elsewhere.failure
    assert elsewhere.summary.chain.parity
    assert elsewhere.summary.protocol is not None
    assert elsewhere.summary.protocol.bought_machina > 0.2
    deployment = load_deployment(elsewhere.directory / "deployment.json")
    assert all(getattr(deployment, name) for name in TELEGRAPH)


def test_they_are_audited_there(elsewhere: Run) -> None:
    found = audit_saved(elsewhere.directory)
    assert found.ok, found.faults


def test_a_run_that_goes_on_there_does_none_of_them_again(elsewhere: Run, node: str) -> None:
    with Rpc(node) as rpc:
        before = rpc.quantity("eth_blockNumber")
        again = resume(elsewhere.directory)
        assert again.ok, again.failure
        assert rpc.quantity("eth_blockNumber") == before


def test_a_node_that_mines_by_the_second_will_do(tmp_path: Path) -> None:
    with anvil("--block-time", "1") as url:
        ended = run(short(), out=tmp_path / "run", chain=url)
        assert ended.ok, ended.failure
        assert audit_saved(tmp_path / "run").ok


def test_acts_that_broke_off_there_are_not_begun_again(node: str, tmp_path: Path) -> None:
    ended = run(short(), out=tmp_path / "run", chain=node)
    assert ended.ok
    path = tmp_path / "run" / "deployment.json"
    load_deployment(path).without_telegraph().save(path)  # as it was before the last of them
    again = resume(tmp_path / "run")
    assert "broke off after block" in str(again.failure)


def test_acts_of_another_run_on_the_same_contracts_are_not_taken_for_its_own(
    elsewhere: Run, node: str, tmp_path: Path
) -> None:
    """Of this run there are none: its floors may be lower than the port takes."""
    what = short()
    assert what.protocol is not None
    rules = what.protocol.model_copy(update={"pricing": Pricing(least_floor_usd=Decimal("0.005"))})
    what = what.model_copy(update={"protocol": rules, "seed": 2})
    given = elsewhere.directory / "deployment.json"
    found = run(what, out=tmp_path / "run", chain=node, deployment=given)
    assert found.ok, found.failure
    assert not load_deployment(tmp_path / "run" / "deployment.json").machina
    assert audit_saved(tmp_path / "run").ok


def test_a_router_short_of_ether_says_how_much_it_needs(elsewhere: Run, node: str) -> None:
    poor = account(AccountKind.OPERATOR, 50)
    deployment = load_deployment(elsewhere.directory / "deployment.json")
    with Rpc(node) as rpc:
        sender = Sender(rpc, poor, deployment.chain_id, free=False)
        blocks = ForeignBlocks(rpc, sender, warp=False)
        acts = recorded_acts(elsewhere.saved)
        with pytest.raises(ChainError, match=f"{poor.address} has 0 wei .* needed more than"):
            Performance(blocks, deployment, acts, 0).run()


def test_a_treasury_that_is_not_ours_is_refused_beforehand(node: str, tmp_path: Path) -> None:
    other = account(AccountKind.OPERATOR, 7).address
    with Rpc(node) as rpc:
        deploy(rpc, 200, treasury_address=other).save(tmp_path / "there.json")
    with pytest.raises(ToolError, match=f"found {other}"):
        run(short(), out=tmp_path / "run", chain=node, deployment=tmp_path / "there.json")


def test_a_router_whose_key_only_the_node_has_is_refused_beforehand(tmp_path: Path) -> None:
    words = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    with anvil("--mnemonic", words) as url, pytest.raises(ToolError, match=KEY_VARIABLE):
        run(short(), out=tmp_path / "run", chain=url)
