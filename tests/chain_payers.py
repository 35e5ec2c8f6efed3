"""Agents that empty their accounts behind the market's back, while a run settles."""

from sim.chain import Ready, Rpc
from sim.chain.accounts import TOKEN_DOMAIN, AccountKind, Mandate, account, sign_mandate
from sim.chain.contracts import contract, integer
from sim.chain.funding import vault_of
from sim.chain.rails.hub import AUTHORIZATION_TYPE, FOREVER
from sim.chain.sender import Sender
from sim.chain.signing import domain_separator, typed_signature, words_of

FRIEND = 5
GAS = 300_000


def empty(ready: Ready, agent: int) -> None:
    """Leaves an agent nothing that a rail could draw on; it takes effect with the next block.

    A friend of the agent submits what it has signed: it is no transaction of the agent's own.
    """
    if ready.rail in ("batch", "prepaid", "epoch-root"):
        end_mandate(ready, agent)
    else:
        empty_wallet(ready, agent)


def end_mandate(ready: Ready, agent: int, deadline: int = 2**40) -> None:
    """The agent signs a mandate of nothing."""
    deployment, payer = ready.deployment, account(AccountKind.AGENT, agent)
    vault = vault_of(deployment, ready.rail)
    views = contract(vault.contract)
    with Rpc(ready.url) as rpc:
        number = integer(rpc.view(vault.place, views.call("idOf", payer.address)))
        nonce = integer(rpc.view(vault.place, views.call("mandateNonce", number)))
        mandate = Mandate(deployment.router, 0, 2**48 - 1, deadline, nonce)
        signed = sign_mandate(payer, mandate, deployment.chain_id, vault.place, vault.domain)
        fields = (mandate.router, 0, mandate.max_price, deadline, nonce)
        send(rpc, vault.place, views.call("setMandate", number, fields, signed))


def empty_wallet(ready: Ready, agent: int) -> None:
    """The agent gives all it has in its wallet away."""
    deployment, payer = ready.deployment, account(AccountKind.AGENT, agent)
    token = contract("USDC")
    with Rpc(ready.url) as rpc:
        held = integer(rpc.view(deployment.usdc, token.call("balanceOf", payer.address)))
        friend = account(AccountKind.OPERATOR, FRIEND).address
        terms = (payer.address, friend, held, 0, FOREVER, bytes(32))
        domain = domain_separator(*TOKEN_DOMAIN, deployment.chain_id, deployment.usdc)
        signature = typed_signature(payer.key, domain, AUTHORIZATION_TYPE, terms)
        data = token.selector("transferWithAuthorization") + words_of((*terms, *signature))
        send(rpc, deployment.usdc, data)


def send(rpc: Rpc, place: str, data: bytes) -> None:
    """Puts a friend's transaction into the pool."""
    friend = account(AccountKind.OPERATOR, FRIEND)
    sender = Sender(rpc, friend, rpc.quantity("eth_chainId"), free=True)
    sender.send([sender.prepare(place, data, GAS)])
