"""What must be there before a run can settle: each lack is told apart, and says what to do."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from sim.chain import (
    ChainSetup,
    Deployment,
    Rpc,
    Served,
    Settler,
    find_anvil,
    serve,
)
from sim.chain import contracts as compiled
from sim.chain import node as nodes
from sim.chain.accounts import account_of
from sim.chain.deployer import check, find_signer
from sim.chain.node import Node, native_binary
from sim.facts import ChainError, ToolError
from sim.rails import EpochRootRail, Rail, TransferRail, X402ExactRail
from tests.chain_helpers import FEE_BPS, audited, batches, record, server, settled, setup

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve(fee_bps=FEE_BPS) as node:
        yield node


def refused(run: ChainSetup) -> str:
    """What the settler says when it cannot start."""
    with Settler(run) as settler, pytest.raises((ChainError, ToolError)) as caught:
        settler.wait_ready()
    return f"{type(caught.value).__name__}: {caught.value}"


# -- What is asked for is not there ----------------------------------------------------------------


def test_an_occupied_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        message = refused(replace(setup(tmp_path), port=port))
    assert message.startswith(f"ToolError: port {port} is occupied")


def test_a_chosen_port_is_used(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with settled([], replace(setup(tmp_path), port=port)) as found:
        assert found.ready.url == f"http://127.0.0.1:{port}"
        assert (found.calls, found.gas_total, found.batches) == (0, 0, ())


def test_a_url_that_nobody_answers_at_is_a_chain_error(tmp_path: Path) -> None:
    message = refused(replace(setup(tmp_path), backend="http://127.0.0.1:1"))
    assert message == (
        "ChainError: the node at http://127.0.0.1:1 cannot be reached: nothing answers there"
    )


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://192.0.2.1:8545", "is not on this machine"),
        ("http://example.org", "is not on this machine"),
        ("http://127.0.0.1.example.org", "is not on this machine"),
        ("ftp://127.0.0.1", "is not the URL of a node"),
        ("anvill", "is not the URL of a node"),
    ],
)
def test_a_url_that_will_not_do_is_refused(url: str, complaint: str) -> None:
    with pytest.raises(ToolError, match=complaint):
        Rpc(url)


def test_a_remote_url_in_a_setup_is_bad_input(tmp_path: Path) -> None:
    message = refused(replace(setup(tmp_path), backend="http://192.0.2.1:8545"))
    assert message.startswith("ToolError: http://192.0.2.1:8545 is not on this machine")


def test_a_remote_url_may_be_allowed_by_name() -> None:
    with pytest.raises(ToolError, match="is not on this machine"):
        Rpc("http://192.0.2.1:8545")
    Rpc("http://192.0.2.1:8545", allow_remote=True).close()


@pytest.mark.parametrize(
    ("body", "status", "complaint"),
    [
        (b"<html>hello</html>", 200, "does not speak JSON-RPC"),
        (b"gone", 404, "HTTP status 404"),
        (b"[]", 200, r"sent '\[\]' to eth_blockNumber"),
        (b'{"id": 1}', 200, "sent no result"),
        (b'{"id": 1, "result": null}', 200, "where text belongs"),
        (b'{"id": 1, "result": "0xzz"}', 200, "where a quantity belongs"),
        (b'{"error": {"code": 1, "message": "no"}}', 200, "refused eth_blockNumber: no"),
    ],
)
def test_a_server_that_is_no_node_is_a_chain_error(
    body: bytes, status: int, complaint: str
) -> None:
    def answer(_: bytes) -> tuple[int, bytes]:
        return status, body

    with server(answer) as url, Rpc(url) as rpc, pytest.raises(ChainError, match=complaint):
        rpc.quantity("eth_blockNumber")


def test_a_missing_anvil_says_what_gets_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TELEX_ANVIL", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(nodes, "_CHECKOUT", tmp_path)
    with pytest.raises(ToolError, match="`make contracts` installs it"):
        find_anvil()
    monkeypatch.setenv("TELEX_ANVIL", str(tmp_path / "anvil"))
    with pytest.raises(ToolError, match="TELEX_ANVIL names"):
        find_anvil()


def test_anvil_is_found_by_variable_then_path_then_checkout(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def program(*parts: str) -> Path:
        path = tmp_path.joinpath(*parts)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"\x7fELF")
        path.chmod(0o755)
        return path

    named, on_path = program("a", "anvil"), program("b", "anvil")
    package = nodes._native_package()
    own = program("node_modules", "@foundry-rs", package, "bin", "anvil")
    monkeypatch.setattr(nodes, "_CHECKOUT", tmp_path)
    monkeypatch.setenv("TELEX_ANVIL", str(named))
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert find_anvil() == named
    monkeypatch.delenv("TELEX_ANVIL")
    assert find_anvil() == on_path
    monkeypatch.setenv("PATH", "")
    assert find_anvil() == own


def test_npms_wrapper_is_replaced_by_the_binary_it_starts(tmp_path: Path) -> None:
    modules = tmp_path / "node_modules"
    wrapper = modules / "@foundry-rs" / "anvil" / "bin.mjs"
    binary = modules / "@foundry-rs" / nodes._native_package() / "bin" / "anvil"
    for path, content in ((wrapper, b"#!/usr/bin/env node\n"), (binary, b"\x7fELF")):
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    link = modules / ".bin" / "anvil"
    link.parent.mkdir()
    link.symlink_to(wrapper)
    assert native_binary(link) == binary
    binary.unlink()
    assert native_binary(link) == wrapper


def test_an_anvil_that_does_not_start_is_quoted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "anvil"
    broken.write_text("#!/bin/sh\necho I cannot >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("TELEX_ANVIL", str(broken))
    with pytest.raises(ChainError, match=r"did not start .* I cannot"):
        Node()


def test_contracts_that_are_not_compiled_say_what_compiles_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compiled, "ARTIFACTS", tmp_path)
    compiled.contract.cache_clear()
    with pytest.raises(ToolError, match="USDC is not compiled: `make contracts`"):
        compiled.contract("USDC")
    (tmp_path / "USDC.json").write_text('{"abi": []}')
    with pytest.raises(ToolError, match="is damaged"):
        compiled.contract("USDC")


# -- The deployment is another ---------------------------------------------------------------------

NOWHERE = "0x" + "12" * 20
WRONG: list[tuple[Callable[[Deployment], Deployment], str]] = [
    (lambda right: replace(right, chain_id=5), "is chain 31337, the deployment 5"),
    (lambda right: replace(right, usdc=NOWHERE), "no USDC at 0x1212"),
    (lambda right: replace(right, call_ledger=NOWHERE), "no CallLedger at 0x1212"),
    (lambda right: replace(right, treasury=NOWHERE), "CallLedger's treasury is"),
    (
        lambda right: replace(right, fee_bps=7),
        "takes 200 bps, the deployment says 7, the scenario 200",
    ),
]


@pytest.mark.parametrize(("change", "complaint"), WRONG)
def test_a_deployment_that_is_not_there_is_refused(
    served: Served, change: Callable[[Deployment], Deployment], complaint: str
) -> None:
    with Rpc(served.url) as rpc, pytest.raises(ChainError, match=complaint):
        check(rpc, change(served.deployment), FEE_BPS)


def test_a_token_in_the_ledgers_place_is_no_ledger(served: Served) -> None:
    token = served.deployment.usdc
    with Rpc(served.url) as rpc, pytest.raises(ChainError, match="is no CallLedger"):
        check(rpc, replace(served.deployment, call_ledger=token), FEE_BPS)


def test_a_scenarios_fee_must_be_the_contracts(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"
    served.deployment.save(path)
    run = replace(setup(tmp_path), backend=served.url, deployment=path, fee_bps=100)
    assert "takes 200 bps, the deployment says 200, the scenario 100" in refused(run)


def test_a_router_that_is_not_ours_is_refused(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = "0x" + "12" * 20
    monkeypatch.setenv("TELEX_PRIVATE_KEY", "01" * 32)
    with Rpc(served.url) as rpc:
        with pytest.raises(ChainError, match=f"the router {stranger} is not ours"):
            find_signer(rpc, stranger)
        assert find_signer(rpc, served.accounts[5].address) == served.accounts[5].address.lower()
        assert find_signer(rpc) == account_of(b"\x01" * 32)


def test_a_deployment_needs_the_url_of_its_chain(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="name its URL"):
        Settler(replace(setup(tmp_path), deployment=tmp_path / "deployment.json"))


# -- A rail that the node cannot carry -------------------------------------------------------------


def deployment_file(deployment: Deployment, directory: Path) -> Path:
    path = directory / "given.json"
    deployment.save(path)
    return path


def test_a_rail_whose_agents_send_transactions_needs_a_node_of_our_own(
    served: Served, tmp_path: Path
) -> None:
    run = replace(setup(tmp_path), backend=served.url, rail=TransferRail())
    assert "ToolError: rail transfer lets agents send transactions" in refused(
        replace(run, deployment=deployment_file(served.deployment, tmp_path))
    )


def test_a_deployment_without_the_rails_contract_is_an_error(
    served: Served, tmp_path: Path
) -> None:
    path = deployment_file(replace(served.deployment, epoch_root=""), tmp_path)
    run = replace(setup(tmp_path), backend=served.url, deployment=path, rail=EpochRootRail())
    assert refused(run) == (
        "ToolError: rail epoch-root needs EpochRoot, and the deployment names none as "
        "epoch_root: telex deploy puts one there"
    )


def test_no_contract_at_a_rails_address_is_an_error(served: Served, tmp_path: Path) -> None:
    nowhere = "0x" + "12" * 20
    path = deployment_file(replace(served.deployment, call_hub=nowhere), tmp_path)
    run = replace(setup(tmp_path), backend=served.url, deployment=path, rail=X402ExactRail())
    assert f"ChainError: no CallHub at {nowhere} on {served.url}" in refused(run)


def test_another_contract_at_a_rails_address_is_an_error(served: Served, tmp_path: Path) -> None:
    usdc = served.deployment.usdc
    path = deployment_file(replace(served.deployment, call_hub=usdc), tmp_path)
    run = replace(setup(tmp_path), backend=served.url, deployment=path, rail=X402ExactRail())
    assert f"{usdc} is no CallHub" in refused(run)


@pytest.mark.parametrize("kind", ["x402-exact", "prepaid", "channel", "epoch-root"])
def test_what_the_router_alone_sends_settles_on_any_node(
    served: Served, tmp_path: Path, kind: str
) -> None:
    made, path = batches([12, 5]), deployment_file(served.deployment, tmp_path)
    rail = TypeAdapter[Rail](Rail).validate_python({"kind": kind})
    run = replace(setup(tmp_path), backend=served.url, deployment=path, rail=rail)
    with settled(made, run) as found:
        result = audited(found, replace(record(made), rail=kind))
    assert (result.faults, result.calls_on_chain) == ((), 17)
