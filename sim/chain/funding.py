"""Gives a run's agents and models their accounts, money and mandates, by the agents' signatures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sim.chain.accounts import (
    EPOCH_DOMAIN,
    LEDGER_DOMAIN,
    Account,
    AccountKind,
    Authorization,
    Mandate,
    accounts,
    sign_authorization,
    sign_mandate,
)
from sim.chain.before import Before, before
from sim.chain.blocks import Blocks
from sim.chain.contracts import address, contract, integer, integers
from sim.chain.deployment import Deployment
from sim.chain.merkle import keccak
from sim.chain.sender import Transaction
from sim.chain.settlement import Agent
from sim.facts import ChainError
from sim.units import Int64Array

OWNERS_PER_TRANSACTION = 200
TRANSACTIONS_PER_BLOCK = 600
REGISTER_GAS_FIXED, REGISTER_GAS = 60_000, 60_000
FUND_GAS = 300_000
FIRST_SECOND = -3_590
DEADLINE_UNIX = 4_102_444_800  # 2100-01-01: no run of simulated years outlives its mandates
MAX_PRICE = 2**48 - 1
FOREVER = 2**64 - 1


@dataclass(frozen=True)
class Funded:
    """The chain's ids by position in the scenario, and what was there before the run, in micros."""

    agent_ids: Int64Array
    model_ids: Int64Array
    agent_balances: tuple[int, ...]
    model_earned: tuple[int, ...]
    fees_micros: int


def check_minter(blocks: Blocks, deployment: Deployment) -> None:
    """Raises `ChainError` unless the sender may mint the deployment's USDC."""
    minter = address(blocks.rpc.view(deployment.usdc, contract("USDC").call("minter")))
    if minter.lower() != blocks.sender.address.lower():
        raise ChainError(f"USDC is minted by {minter}, not by {blocks.sender.address}")


@dataclass(frozen=True, slots=True)
class Vault:
    """A contract that keeps accounts: its name, its place, the domain mandates are signed for."""

    contract: str
    place: str
    domain: tuple[str, str]


def vault_of(deployment: Deployment, kind: str) -> Vault:
    """Where a rail on money paid in beforehand keeps it."""
    if kind == "epoch-root":
        return Vault("EpochRoot", deployment.epoch_root, EPOCH_DOMAIN)
    return Vault("CallLedger", deployment.call_ledger, LEDGER_DOMAIN)


class Standing(NamedTuple):
    """What an agent has, in its wallet and in its account, and the nonce of its next mandate."""

    wallet: int
    balance: int
    nonce: int


class Funding:
    """One run's way to fund its accounts with one contract of a deployment."""

    def __init__(self, blocks: Blocks, deployment: Deployment, vault: Vault | None = None) -> None:
        self._blocks, self._deployment = blocks, deployment
        self._vault = vault or vault_of(deployment, "")
        self._ledger, self._token = contract(self._vault.contract), contract("USDC")
        self._second = FIRST_SECOND

    def fund(self, agents: tuple[Agent, ...], model_count: int, kept: Path | None = None) -> Funded:
        """Registers who is new, then mints, deposits and mandates for every agent.

        Where something is to be ``kept`` of it, a try that broke off goes on: nobody gets more.

        Raises `ChainError` if the chain refuses, or an account does not end as it should.
        """
        check_minter(self._blocks, self._deployment)
        buyers = accounts(AccountKind.AGENT, len(agents))
        ids = self._registered([*buyers, *accounts(AccountKind.MODEL, model_count)])
        agent_ids, model_ids = ids[: len(agents)], ids[len(agents) :]
        now = self._standings(buyers, agent_ids)
        was = before(kept, self._before(now, model_ids))
        then = map(Standing, was.wallets, was.balances, was.nonces)
        ready: list[Transaction] = []
        for row in zip(agents, buyers, agent_ids, then, now, strict=True):
            ready += self._missing(*row)
        self._submit(ready)
        self._check(agents, agent_ids, was.balances)
        numbers = np.array(agent_ids), np.array(model_ids)
        return Funded(*numbers, was.balances, was.earned, was.fees_micros)

    def known(self, agents: tuple[Agent, ...], model_count: int) -> Funded:
        """The accounts of a run that was funded before; raises `ChainError` if one is missing."""
        ids = self._ids(
            [*accounts(AccountKind.AGENT, len(agents)), *accounts(AccountKind.MODEL, model_count)]
        )
        if not all(ids):
            raise ChainError(f"{ids.count(0)} of {len(ids)} accounts of the run are not there")
        of_agents, of_models = np.array(ids[: len(agents)]), np.array(ids[len(agents) :])
        return Funded(of_agents, of_models, (), (), 0)

    def _before(self, now: list[Standing], models: list[int]) -> Before:
        return Before(
            first_block=self._blocks.rpc.block().number + 1,
            wallets=tuple(one.wallet for one in now),
            balances=tuple(one.balance for one in now),
            nonces=tuple(one.nonce for one in now),
            earned=tuple(earned for earned, _ in self._read("earnings", models)),
            fees_micros=integer(self._view("fees")),
        )

    def _standings(self, owners: Sequence[Account], ids: list[int]) -> list[Standing]:
        asked = [self._token.call("balanceOf", owner.address) for owner in owners]
        wallets = map(integer, self._blocks.rpc.views(self._deployment.usdc, asked))
        balances = (balance for balance, *_ in self._read("account", ids))
        nonces = (nonce for (nonce,) in self._read("mandateNonce", ids))
        return list(map(Standing, wallets, balances, nonces))

    def _view(self, name: str) -> bytes:
        return self._blocks.rpc.view(self._vault.place, self._ledger.call(name))

    def _read(self, name: str, ids: list[int]) -> list[list[int]]:
        calls = [self._ledger.call(name, number) for number in ids]
        answers = self._blocks.rpc.views(self._vault.place, calls)
        return [integers(answer) for answer in answers]

    def _ids(self, owners: list[Account]) -> list[int]:
        calls = [self._ledger.call("idOf", owner.address) for owner in owners]
        answers = self._blocks.rpc.views(self._vault.place, calls)
        return [integer(answer) for answer in answers]

    def _registered(self, owners: list[Account]) -> list[int]:
        new = [
            owner.address
            for owner, number in zip(owners, self._ids(owners), strict=True)
            if not number
        ]
        ready = []
        for start in range(0, len(new), OWNERS_PER_TRANSACTION):
            part = new[start : start + OWNERS_PER_TRANSACTION]
            gas = REGISTER_GAS_FIXED + REGISTER_GAS * len(part)
            ready.append(self._prepare(self._ledger.call("register", part), gas))
        self._submit(ready)
        ids = self._ids(owners)
        if not all(ids):
            raise ChainError(f"{ids.count(0)} of {len(ids)} accounts could not be registered")
        return ids

    def _prepare(self, data: bytes, gas: int = FUND_GAS, to: str | None = None) -> Transaction:
        return self._blocks.sender.prepare(to or self._vault.place, data, gas)

    def _missing(
        self, agent: Agent, buyer: Account, number: int, was: Standing, now: Standing
    ) -> Iterator[Transaction]:
        """New money to the agent's address, from there into its account, and a mandate to spend it.

        All but what is done already; what the agent has to allow, it signs.
        """
        if now.balance < was.balance + agent.deposit_micros:
            if now.wallet < was.wallet + agent.deposit_micros:
                mint = self._token.call("mint", buyer.address, agent.deposit_micros)
                yield self._prepare(mint, to=self._deployment.usdc)
            yield self._deposit(agent, buyer, number, was)
        if now.nonce == was.nonce:
            yield self._mandate(agent, buyer, number, was.nonce)

    def _deposit(self, agent: Agent, buyer: Account, number: int, was: Standing) -> Transaction:
        """Its nonce is this run's: one cut short before its mandate may have left the balance."""
        deployment, stand = self._deployment, f"{was.nonce} {was.balance}"
        authorization = Authorization(
            to=self._vault.place,
            value=agent.deposit_micros,
            valid_after=0,
            valid_before=FOREVER,
            nonce=keccak(f"deposit {self._vault.place} {number} {stand}".encode()),
        )
        signature = sign_authorization(buyer, authorization, deployment.chain_id, deployment.usdc)
        terms = (authorization.valid_after, authorization.valid_before, authorization.nonce)
        deposit = self._ledger.call(
            "depositWithAuthorization", number, authorization.value, *terms, *signature
        )
        return self._prepare(deposit)

    def _mandate(self, agent: Agent, buyer: Account, number: int, nonce: int) -> Transaction:
        deployment = self._deployment
        mandate = Mandate(
            router=deployment.router,
            cap=_cap_of(agent),
            max_price=min(agent.max_price_micros, MAX_PRICE),
            deadline=DEADLINE_UNIX,
            nonce=nonce,
        )
        signature = sign_mandate(
            buyer, mandate, deployment.chain_id, self._vault.place, self._vault.domain
        )
        fields = (mandate.router, mandate.cap, mandate.max_price, mandate.deadline, nonce)
        return self._prepare(self._ledger.call("setMandate", number, fields, signature))

    def _submit(self, ready: list[Transaction]) -> None:
        for start in range(0, len(ready), TRANSACTIONS_PER_BLOCK):
            self._blocks.submit(ready[start : start + TRANSACTIONS_PER_BLOCK], self._second)
            self._second += 1

    def _check(self, agents: tuple[Agent, ...], ids: list[int], was: tuple[int, ...]) -> None:
        found = self._read("account", ids)
        for agent, old, (balance, cap, max_price, _) in zip(agents, was, found, strict=True):
            needed = (old + agent.deposit_micros, _cap_of(agent))
            limit = min(agent.max_price_micros, MAX_PRICE)
            if (balance, cap, max_price) != (*needed, limit):
                raise ChainError(
                    f"agent {agent.name} could not be funded: found balance, cap and maximum price "
                    f"{balance}, {cap}, {max_price}, needed {needed[0]}, {needed[1]}, {limit}"
                )


def _cap_of(agent: Agent) -> int:
    return agent.deposit_micros if agent.cap_micros is None else agent.cap_micros
