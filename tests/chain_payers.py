"""Agents that empty their accounts behind the market's back, while a run settles."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sim.chain import AuditRecord, Ready, Rpc
from sim.chain.accounts import TOKEN_DOMAIN, AccountKind, Mandate, account, sign_mandate
from sim.chain.contracts import contract, integer
from sim.chain.funding import vault_of
from sim.chain.rails.exact import AUTHORIZATION_TYPE
from sim.chain.rails.hub import FOREVER
from sim.chain.sender import Sender
from sim.chain.signing import domain_separator, typed_signature, words_of
from sim.facts import Batch
from sim.units import shares_floor
from tests.chain_helpers import DEPOSIT, FEE_BPS, record

IN_ACCOUNTS = ("prepaid", "batch", "epoch-root")
FRIEND = 5
GAS = 300_000


def empty(ready: Ready, agent: int) -> None:
    """Leaves an agent nothing that a rail could draw on; it takes effect with the next block.

    A friend of the agent submits what it has signed: it is no transaction of the agent's own.
    """
    if ready.rail in IN_ACCOUNTS:
        end_mandate(ready, agent)
    else:
        empty_wallet(ready, agent)


def end_mandate(ready: Ready, agent: int) -> None:
    """The agent signs a mandate of nothing."""
    set_mandate(ready, agent, cap=0, max_price=2**48 - 1, deadline=2**40)


def set_mandate(ready: Ready, agent: int, *, cap: int, max_price: int, deadline: int) -> None:
    """The agent signs another mandate: its cap and price in micros, its end in unix seconds."""
    deployment, payer = ready.deployment, account(AccountKind.AGENT, agent)
    vault = vault_of(deployment, ready.rail)
    views = contract(vault.contract)
    with Rpc(ready.url) as rpc:
        number = integer(rpc.view(vault.place, views.call("idOf", payer.address)))
        nonce = integer(rpc.view(vault.place, views.call("mandateNonce", number)))
        mandate = Mandate(deployment.router, cap, max_price, deadline, nonce)
        signed = sign_mandate(payer, mandate, deployment.chain_id, vault.place, vault.domain)
        fields = (mandate.router, cap, max_price, deadline, nonce)
        send(rpc, vault.place, views.call("setMandate", number, fields, signed))


def empty_wallet(ready: Ready, agent: int) -> None:
    """The agent gives all it has in its wallet away."""
    deployment, payer = ready.deployment, account(AccountKind.AGENT, agent)
    token = contract("USDC")
    with Rpc(ready.url) as rpc:
        held = integer(rpc.view(deployment.usdc, token.call("balanceOf", payer.address)))
        friend = account(AccountKind.OPERATOR, FRIEND).address
        send(rpc, deployment.usdc, authorized(ready, agent, friend, held, bytes(32)))


def authorized(ready: Ready, agent: int, to: str, micros: int, nonce: bytes) -> bytes:
    """The calldata of a transfer that the agent signs, and anybody may submit."""
    deployment, payer = ready.deployment, account(AccountKind.AGENT, agent)
    terms = (payer.address, to, micros, 0, FOREVER, nonce)
    domain = domain_separator(*TOKEN_DOMAIN, deployment.chain_id, deployment.usdc)
    signature = typed_signature(payer.key, domain, AUTHORIZATION_TYPE, terms)
    selector = contract("USDC").selector("transferWithAuthorization")
    return selector + words_of((*terms, *signature))


def give(ready: Ready, place: str, micros: int) -> None:
    """The friend, who got what an agent had, gives somebody of it."""
    with Rpc(ready.url) as rpc:
        send(rpc, ready.deployment.usdc, contract("USDC").call("transfer", place, micros))


def send(rpc: Rpc, place: str, data: bytes) -> None:
    """Puts a friend's transaction into the pool, behind those of it that are there."""
    friend = account(AccountKind.OPERATOR, FRIEND)
    sender = Sender(rpc, friend, rpc.quantity("eth_chainId"), free=True)
    sender.nonce = sender.landed("pending")
    sender.send([sender.prepare(place, data, GAS)])


def without_payments_of(agent: int, kind: str, made: list[Batch]) -> AuditRecord:
    """The record of the same calls, one agent's unpaid; a job is none if it cannot be opened."""
    true = replace(record(made), rail=kind)
    asked = true.quote_micros if kind == "escrow-job" else true.charge_micros
    unpaid = (true.agent == agent) & (asked > 0)
    found = unpaid_at(true, unpaid)
    if kind not in IN_ACCOUNTS:
        found.agent_balance_micros[agent] = 0  # what it took out of its wallet is gone
    return found


def unpaid_at(true: AuditRecord, unpaid: npt.NDArray[np.bool_]) -> AuditRecord:
    """The record of the same calls, some of them unpaid."""
    charge = np.where(unpaid, 0, true.charge_micros)
    fees = shares_floor(charge, FEE_BPS)
    balance, earned = np.full(5, DEPOSIT), np.zeros(3, np.int64)
    np.subtract.at(balance, true.agent, charge)
    np.add.at(earned, true.model, charge - fees)
    return replace(
        true, charge_micros=charge, unpaid=unpaid, agent_balance_micros=balance,
        model_earned_micros=earned, fees_micros=int(fees.sum()),
    )  # fmt: skip
