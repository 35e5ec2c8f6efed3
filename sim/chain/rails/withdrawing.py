"""Withdrawals on a chain: asked for, and executed when the timelock is over, by their agents."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from sim.chain.accounts import AccountKind, accounts
from sim.chain.answers import as_quantity
from sim.chain.blocks import Span
from sim.chain.contracts import contract, integers
from sim.chain.endowing import endow
from sim.chain.funding import vault_of
from sim.chain.rails.parts import ERRAND_GAS, Way
from sim.chain.rpc import Request
from sim.chain.sender import Transaction, Wallets
from sim.chain.settlement import ChainSetup
from sim.facts import Errand, Kind

STEPS_GIVEN = 8


class Withdrawing:
    """Agents' withdrawals on their way: each is asked for, and then executed, by its agent."""

    def __init__(self, way: Way, setup: ChainSetup) -> None:
        self._way, self._vault = way, vault_of(way.deployment, setup.rail.kind)
        self._ledger = contract(self._vault.contract)
        self._names = [agent.name for agent in setup.agents]
        self._owners = accounts(AccountKind.AGENT, len(setup.agents))
        rpc, chain_id = way.blocks.rpc, way.deployment.chain_id
        self._wallets = Wallets(rpc, self._owners, chain_id, self._gas_price_wei)

    @property
    def _gas_price_wei(self) -> int:
        sender = self._way.blocks.sender
        return 0 if sender.on_own_chain else sender.gas_price_wei

    def submit(self, agents: Sequence[int], signed: Sequence[Transaction], seconds: int) -> Span:
        """Has agents' steps mined on a node of somebody else's: one by one, for they have an order.

        Raises `ChainError` if the router has not the ETH that they take.
        """
        self._endow(agents, seconds)
        rows = zip(agents, signed, strict=True)
        spans = [
            self._way.blocks.submit([step for _, step in steps], seconds)
            for _, steps in groupby(rows, key=itemgetter(0))
        ]
        return Span(spans[0].first, spans[-1].last)

    def _endow(self, agents: Sequence[int], seconds: int) -> None:
        """Gives agents that are short of it the ETH that their steps take, and some more."""
        blocks, wei, sends = self._way.blocks, ERRAND_GAS * self._gas_price_wei, Counter(agents)
        addresses = {at: self._owners[at].address for at in sends}
        asked: list[Request] = [
            ("eth_getBalance", [address, "latest"]) for address in addresses.values()
        ]
        has = dict(zip(sends, map(as_quantity, blocks.rpc.batch(asked)), strict=True))
        gifts = {
            addresses[at]: (count + STEPS_GIVEN) * wei
            for at, count in sends.items()
            if has[at] < count * wei
        }
        if gifts:
            endow(blocks, gifts, seconds, "agents take money back")

    def landed(self, first_block: int) -> int:
        """How many steps of a run that began there are on the chain."""
        topics = [self._ledger.topic(name) for name in ("WithdrawRequested", "Withdrawn")]
        return len(self._way.seen(self._vault.place, topics, first_block))

    def prepare(self, errand: Errand) -> Iterator[tuple[str, Transaction]]:
        """The transaction of a step, with what it is for."""
        number, name = int(self._way.funded.agent_ids[errand.agent]), self._names[errand.agent]
        if errand.kind is Kind.HOLD:
            data = self._ledger.call("requestWithdraw", number, errand.micros)
        else:
            data = self._ledger.call("executeWithdraw", number)
        step = self._wallets.prepare(errand.agent, self._vault.place, data, ERRAND_GAS)
        yield f"a withdrawal of {errand.micros} micros by {name}", step

    def unlocked_unix(self, agents: Sequence[int]) -> int:
        """From when on all of these agents can have what they asked for."""
        ids = self._way.funded.agent_ids[list(agents)].tolist()
        asked = [self._ledger.call("withdrawal", number) for number in ids]
        views = self._way.blocks.rpc.views(self._vault.place, asked)
        return max((integers(view)[1] for view in views), default=0)
