"""The contracts on a chain: who may sign for them, putting them there, checking that they are."""

import os
from collections.abc import Iterable, Mapping

from sim.chain.accounts import (
    ROUTER_INDEX,
    TOKEN_DOMAIN,
    TREASURY_INDEX,
    Account,
    AccountKind,
    account,
    account_of_text,
)
from sim.chain.answers import as_list, as_text
from sim.chain.blocks import Blocks, ForeignBlocks
from sim.chain.contracts import address, contract, created_address, integer
from sim.chain.deployment import Deployment
from sim.chain.rpc import Rpc
from sim.chain.sender import Sender
from sim.facts import ChainError

KEY_VARIABLE = "TELEX_PRIVATE_KEY"
DEPLOY_GAS = 8_000_000
DEPLOY_SECONDS = -3_599
WITHDRAW_DELAY_S = 4 * 3_600


def treasury() -> Account:
    """The account that fees go to unless somebody names another."""
    return account(AccountKind.OPERATOR, TREASURY_INDEX)


def find_signer(rpc: Rpc, router: str | None = None) -> Account | str:
    """Who can sign as ``router``, or as anybody: a key, or an address that the node has unlocked.

    In this order: TELEX_PRIVATE_KEY, the test mnemonic's first account, the node's accounts.

    Raises:
        ToolError: TELEX_PRIVATE_KEY is not a key.
        ChainError: none of them is ``router``.
    """
    text = os.environ.get(KEY_VARIABLE)
    candidates: list[Account | str] = [account_of_text(text)] if text else []
    unlocked = [as_text(item) for item in as_list(rpc.call("eth_accounts"))]
    own = account(AccountKind.OPERATOR, ROUTER_INDEX)
    if not text and (router is not None or own.address.lower() in [a.lower() for a in unlocked]):
        candidates.append(own)
    candidates += unlocked
    for candidate in candidates:
        name = candidate.address if isinstance(candidate, Account) else candidate
        if router is None or name.lower() == router.lower():
            return candidate
    who = f"the router {router} is not ours" if router is not None else "nobody can sign"
    raise ChainError(
        f"{who}: {KEY_VARIABLE} does not hold its key, and the node at {rpc.url} has no such "
        "unlocked account"
    )


RAIL_CONTRACTS = {
    "transfer": ("call_hub", "CallHub"),
    "x402-exact": ("call_hub", "CallHub"),
    "channel": ("call_hub", "CallHub"),
    "escrow-job": ("job_escrow", "JobEscrow"),
    "epoch-root": ("epoch_root", "EpochRoot"),
}
"""What a rail needs beside USDC and CallLedger: its key in deployment.json, the contract's name."""


def deploy_with(
    blocks: Blocks, fee_bps: int, treasury_address: str, rails: Iterable[str] = (),
    timelock_s: int = WITHDRAW_DELAY_S,
) -> Deployment:  # fmt: skip
    """Deploys USDC, CallLedger and what ``rails`` need; the sender becomes minter and router.

    Args:
        timelock_s: how long a withdrawal is locked.

    Raises:
        ToolError: the contracts are not compiled.
        ChainError: the node refuses, or no code is there afterwards.
    """
    sender = blocks.sender
    nonce = sender.nonce
    token, ledger = (created_address(sender.address, nonce + at) for at in range(2))
    terms = (token, sender.address, treasury_address, fee_bps)
    creations = [
        contract("USDC").creation(*TOKEN_DOMAIN),
        contract("CallLedger").creation(*terms, timelock_s),
    ]
    others = {}
    for key, name in dict(RAIL_CONTRACTS[kind] for kind in rails if kind in RAIL_CONTRACTS).items():
        others[key] = created_address(sender.address, nonce + len(creations))
        delay = (timelock_s,) if name == "EpochRoot" else ()
        creations.append(contract(name).creation(*terms, *delay))
    ready = [sender.prepare(None, data, DEPLOY_GAS) for data in creations]
    span = blocks.submit(ready, DEPLOY_SECONDS)
    deployment = Deployment(
        chain_id=blocks.rpc.quantity("eth_chainId"),
        usdc=token,
        call_ledger=ledger,
        router=sender.address,
        treasury=treasury_address,
        fee_bps=fee_bps,
        deploy_block=span.first,
        **others,
    )
    check(blocks.rpc, deployment, fee_bps)
    return deployment


def deploy(
    rpc: Rpc, fee_bps: int, sender: Account | str | None = None, treasury_address: str | None = None
) -> Deployment:
    """Deploys every rail's contracts to a node of the user's, which mines by itself.

    Args:
        fee_bps: the fee in basis points of each charge.
        sender: who signs, and becomes minter and router; see `find_signer` if None.
        treasury_address: where fees go; the test mnemonic's second account if None.

    Raises:
        ToolError: the contracts are not compiled, or TELEX_PRIVATE_KEY is not a key.
        ChainError: the node cannot be reached, or refuses.
    """
    signer = sender if sender is not None else find_signer(rpc)
    chain_id = rpc.quantity("eth_chainId")
    way = Sender(rpc, signer, chain_id, free=False)
    blocks = ForeignBlocks(rpc, way, warp=False)
    return deploy_with(blocks, fee_bps, treasury_address or treasury().address, RAIL_CONTRACTS)


def check_there(rpc: Rpc, chain_id: int, places: Mapping[str, str]) -> None:
    """Raises `ChainError` unless this is the deployment's chain, with code at its ``places``."""
    found = rpc.quantity("eth_chainId")
    if found != chain_id:
        raise ChainError(f"{rpc.url} is chain {found}, the deployment {chain_id}")
    for name, place in places.items():
        if not rpc.code(place):
            raise ChainError(f"no {name} at {place} on {rpc.url}: the chain has no code there")


def check(rpc: Rpc, deployment: Deployment, fee_bps: int) -> None:
    """Raises `ChainError` unless the deployment is on this chain and charges ``fee_bps``."""
    places = {"CallLedger": deployment.call_ledger}
    places |= {name: getattr(deployment, key) for key, name in RAIL_CONTRACTS.values()}
    places = {name: place for name, place in places.items() if place}
    check_there(rpc, deployment.chain_id, {"USDC": deployment.usdc, **places})
    for name, place in places.items():
        _check_terms(rpc, deployment, name, place, fee_bps)


def _check_terms(rpc: Rpc, deployment: Deployment, name: str, place: str, fee_bps: int) -> None:
    ledger = contract("CallLedger")  # every rail's contract has these four views
    views = ("token", "router", "treasury", "feeBps")
    try:
        answers = rpc.views(place, [ledger.call(view) for view in views])
        found_fee = integer(answers[3])
    except ChainError as error:
        raise ChainError(f"{place} is no {name}: {error}") from None
    needed = (deployment.usdc, deployment.router, deployment.treasury)
    for view, answer, value in zip(views, answers, needed, strict=False):
        if address(answer).lower() != value.lower():
            raise ChainError(f"{name}'s {view} is {address(answer)}, the deployment's {value}")
    if not found_fee == deployment.fee_bps == fee_bps:
        raise ChainError(
            f"{name} takes {found_fee} bps, the deployment says {deployment.fee_bps}, "
            f"the scenario {fee_bps}"
        )
