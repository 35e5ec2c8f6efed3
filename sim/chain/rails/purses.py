"""Gives a run's agents their money where no contract keeps it: in wallets of their own."""

from pathlib import Path

import numpy as np

from sim.chain.accounts import AccountKind, accounts
from sim.chain.before import Before, before
from sim.chain.blocks import Blocks
from sim.chain.contracts import contract, integer, integers
from sim.chain.deployment import Deployment
from sim.chain.funding import FIRST_SECOND, TRANSACTIONS_PER_BLOCK, Funded, check_minter
from sim.chain.sender import Transaction, Wallets
from sim.chain.settlement import Agent
from sim.facts import ChainError

MINT_GAS = APPROVE_GAS = 100_000
NO_LIMIT = 2**256 - 1


class Purses:
    """One run's wallets, and the contract (a CallHub or a JobEscrow) that its rail pays."""

    def __init__(self, blocks: Blocks, deployment: Deployment, name: str, place: str) -> None:
        self._blocks, self._token = blocks, deployment.usdc
        self._deployment, self._place, self._splitter = deployment, place, contract(name)

    def fund(
        self,
        agents: tuple[Agent, ...],
        model_count: int,
        *,
        approve: Wallets | None = None,
        kept: Path | None = None,
    ) -> Funded:
        """Mints every agent's money; with ``approve``, lets the contract draw on their wallets.

        Where something is to be ``kept`` of it, a try that broke off goes on: nobody gets more.

        Raises `ChainError` if the chain refuses, or a wallet does not end as it should.
        """
        check_minter(self._blocks, self._deployment)
        owners = [owner.address for owner in accounts(AccountKind.AGENT, len(agents))]
        sellers = [owner.address for owner in accounts(AccountKind.MODEL, model_count)]
        now = self._balances(owners)
        was = before(kept, self._before(now, sellers))
        ready = [
            self._mint(owner, agent.deposit_micros)
            for owner, agent, old, has in zip(owners, agents, was.wallets, now, strict=True)
            if has < old + agent.deposit_micros
        ]
        if approve is not None:
            data = contract("USDC").call("approve", self._place, NO_LIMIT)
            ready += [
                approve.prepare(at, self._token, data, APPROVE_GAS) for at in range(len(agents))
            ]
        for second, start in enumerate(range(0, len(ready), TRANSACTIONS_PER_BLOCK)):
            part = ready[start : start + TRANSACTIONS_PER_BLOCK]
            self._blocks.submit(part, FIRST_SECOND + second)
        self._check(agents, owners, was.wallets)
        ids = np.arange(len(agents)), np.arange(model_count)
        return Funded(*ids, was.wallets, was.earned, was.fees_micros)

    def known(self, agents: tuple[Agent, ...], model_count: int) -> Funded:
        """The accounts of a run that was funded before: wallets need no registration."""
        return Funded(np.arange(len(agents)), np.arange(model_count), (), (), 0)

    def _before(self, now: list[int], sellers: list[str]) -> Before:
        rpc = self._blocks.rpc
        asked = [self._splitter.call("earnings", seller) for seller in sellers]
        return Before(
            first_block=rpc.block().number + 1,
            wallets=tuple(now),
            earned=tuple(integers(answer)[0] for answer in rpc.views(self._place, asked)),
            fees_micros=integer(rpc.view(self._place, self._splitter.call("fees"))),
        )

    def _balances(self, owners: list[str]) -> list[int]:
        token = contract("USDC")
        asked = [token.call("balanceOf", owner) for owner in owners]
        return [integer(answer) for answer in self._blocks.rpc.views(self._token, asked)]

    def _mint(self, owner: str, micros: int) -> Transaction:
        data = contract("USDC").call("mint", owner, micros)
        return self._blocks.sender.prepare(self._token, data, MINT_GAS)

    def _check(self, agents: tuple[Agent, ...], owners: list[str], was: tuple[int, ...]) -> None:
        found = self._balances(owners)
        for agent, old, balance in zip(agents, was, found, strict=True):
            if balance != old + agent.deposit_micros:
                raise ChainError(
                    f"agent {agent.name} could not be funded: found {balance} micros in its "
                    f"wallet, needed {old + agent.deposit_micros}"
                )
