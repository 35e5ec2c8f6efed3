"""A node for other people's clients: what is on it, as plain web3.py finds it by the file alone."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

from sim.chain import Rpc, load_deployment, serve
from sim.chain.accounts import ROUTER_INDEX, AccountKind, account
from sim.chain.contracts import contract, created_address
from sim.chain.deployer import check
from sim.chain.local import Document, load_document
from sim.chain.local.fixed import PLACES
from sim.chain.local.work import Work
from sim.facts import ScenarioError, ToolError
from sim.intents import INTENTS
from sim.scenario.library import FOLDERS, names

pytestmark = pytest.mark.chain

FEE_BPS = 200
DOLLAR = 10**6
TELEX = [sys.executable, "-m", "sim"]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Document]:
    path = tmp_path_factory.mktemp("node") / "node.json"
    with serve(fee_bps=FEE_BPS, chain_id=84532) as served:
        served.document.save(path)
        yield load_document(path)


@pytest.fixture
def web3(document: Document) -> Web3:
    return Web3(HTTPProvider(document.rpc_url))


def at(web3: Web3, document: Document, name: str, place: str):
    return web3.eth.contract(Web3.to_checksum_address(place), abi=list(document.abis[name]))


def test_there_is_code_at_every_address_of_the_file(web3: Web3, document: Document) -> None:
    people = {"router", "treasury", "settlement_authority", "rpc_url"}
    places = document.model_dump(exclude={"accounts", "miners", "intents", "abis", *people})
    addresses = {name: place for name, place in places.items() if str(place).startswith("0x")}
    assert len(addresses) == 15
    assert [name for name, place in addresses.items() if not web3.eth.get_code(place)] == []
    assert web3.eth.chain_id == document.chain_id == 84532


def test_a_run_can_settle_on_the_same_file(document: Document, tmp_path: Path) -> None:
    document.save(tmp_path / "node.json")
    deployment = load_deployment(tmp_path / "node.json")
    with Rpc(document.rpc_url) as rpc:
        check(rpc, deployment, FEE_BPS)


def test_the_canonical_intents_are_set_under_the_hashes_of_their_names(
    web3: Web3, document: Document
) -> None:
    port = at(web3, document, "Port", document.port)
    assert tuple(port.functions.getCanonicalIntents().call()) == INTENTS == tuple(document.intents)
    assert {name: Web3.keccak(text=name).to_0x_hex() for name in INTENTS} == document.intents


def test_the_catalogs_models_are_miners_each_with_its_floor(web3: Web3, document: Document) -> None:
    port = at(web3, document, "Port", document.port)
    assert tuple(miner.model for miner in document.miners) == names(FOLDERS["catalog"])
    assert port.functions.minerCount().call() == len(document.miners)
    for miner in document.miners:
        owner, url, _, active, intent, fee_to, floor, intents = port.functions.getMiner(
            miner.registration_id
        ).call()
        assert (owner, fee_to, url, active) == (miner.address, owner, miner.yaml_url, True)
        assert (floor, tuple(intents)) == (miner.min_price_usdc, miner.intents)
        assert Web3.to_hex(intent) == miner.intent_id
        assert floor >= DOLLAR // 100
    assert len({miner.min_price_usdc for miner in document.miners}) > 1


def test_each_account_holds_money_and_its_key_is_in_the_file(
    web3: Web3, document: Document
) -> None:
    usdc = at(web3, document, "USDC", document.usdc)
    roles = [owner.role for owner in document.accounts]
    assert roles[:4] == ["router", "treasury", "settlement_authority", "client"]
    for owner in document.accounts:
        assert web3.eth.account.from_key(owner.key).address == owner.address
        assert usdc.functions.balanceOf(owner.address).call() == 1_000_000 * DOLLAR
        assert web3.eth.get_balance(Web3.to_checksum_address(owner.address)) > 10**21


def test_a_dollar_buys_a_machina_less_the_pools_fee(web3: Web3, document: Document) -> None:
    client = document.accounts[5].address
    usdc = at(web3, document, "USDC", document.usdc)
    machina = at(web3, document, "MACHINA", document.machina)
    swaps = at(web3, document, "SwapRouter", document.swap_router)
    usdc.functions.approve(swaps.address, DOLLAR).transact({"from": client})
    order = (
        document.usdc, document.machina, document.pool_fee, client, 2**40, DOLLAR, 0, 0,
    )  # fmt: skip
    swaps.functions.exactInputSingle(order).transact({"from": client})
    bought = machina.functions.balanceOf(client).call()
    assert 0.99699e18 < bought < 0.997e18


def test_x402s_contracts_are_the_same_wherever_they_were_constructed(document: Document) -> None:
    """What is put at the fixed addresses is what a deployment leaves behind, byte for byte."""
    with Rpc(document.rpc_url) as rpc:
        work = Work(rpc, account(AccountKind.OPERATOR, ROUTER_INDEX))
        made = {}
        for name in PLACES:
            made[name] = created_address(work.sender.address, work.sender.nonce)
            work.add(name, None, contract(name).creation())
        work.do()
        for name, place in PLACES.items():
            assert rpc.code(made[name]) == rpc.code(place) == contract(name).runtime != b""


def test_blocks_come_by_time_if_they_are_asked_to() -> None:
    with serve(block_time_s=1) as served, Rpc(served.url) as rpc:
        first = rpc.block()
        end = time.monotonic() + 30
        while rpc.block().number < first.number + 2 and time.monotonic() < end:
            time.sleep(0.1)
        found = rpc.block(first.number + 2)
    assert found.transactions == ()
    assert found.timestamp >= first.timestamp + 2


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_interrupt_ends_the_node_and_leaves_its_file(tmp_path: Path) -> None:
    port, out = free_port(), tmp_path / "stdout"
    command = [*TELEX, "node", "--port", str(port), "--json"]
    with (
        out.open("w") as stdout,
        subprocess.Popen(
            command, cwd=tmp_path, stdout=stdout, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        assert process.stderr is not None
        assert any("Ctrl-C" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
    assert not Web3(HTTPProvider(f"http://127.0.0.1:{port}")).is_connected()
    assert json.loads(out.read_text()) == json.loads((tmp_path / "node.json").read_text())


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read"),
        ("{", "Invalid JSON"),
        ("[]", "should be an object"),
        ('{"chain_id": 1}', "port"),
    ],
)
def test_a_damaged_file_is_refused_with_every_fault(
    tmp_path: Path, content: str | None, complaint: str
) -> None:
    path = tmp_path / "node.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises((ScenarioError, ToolError), match=complaint):
        load_document(path)


def test_a_file_that_cannot_be_written_is_an_error(document: Document, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot be written"):
        document.save(tmp_path / "missing" / "node.json")
