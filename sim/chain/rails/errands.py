"""Errands: what a chain is told beside the calls, each once and at its place among them.

A slash is a deposit out of its model's bond account into the agent's account. Every model has a
bond account of its own, which it pays into before the run; the router holds the key. When the bond
does not cover a slash, the model's earnings do: they are claimed, and go into the bond account
first. A slash comes before the calls of its batch, unless it takes what they earn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sim.chain.accounts import AccountKind, accounts
from sim.chain.answers import Block, Log
from sim.chain.contracts import contract, integer, integers
from sim.chain.funding import FIRST_SECOND, TRANSACTIONS_PER_BLOCK, vault_of
from sim.chain.local.work import failed
from sim.chain.pack import cut
from sim.chain.rails.parts import ChainRail, Part, Way
from sim.chain.sender import Transaction, Wallets
from sim.chain.settlement import ChainSetup, SettledBatch
from sim.facts import Batch, Errand

ERRAND_GAS = 200_000
NO_LIMIT = 2**256 - 1


@dataclass(frozen=True, slots=True)
class ErrandPart(Part):
    """Errands that share a block of their own: ``names`` says what each transaction is.

    ``done`` counts the run's errands that are on the chain once it is mined.
    """

    names: tuple[str, ...] = ()
    done: int = 0


def post_bonds(way: Way, setup: ChainSetup) -> None:
    """Mints every model its bond, and has it pay that into its bond account.

    Raises `ChainError` if the chain refuses.
    """
    models = len(setup.models)
    owners = [*accounts(AccountKind.MODEL, models), *accounts(AccountKind.BOND, models)]
    wallets = Wallets(way.blocks.rpc, owners, way.deployment.chain_id)
    token, usdc = contract("USDC"), way.deployment.usdc
    vault = vault_of(way.deployment, setup.rail.kind).place
    ready: list[Transaction] = []
    for at, micros in enumerate(setup.bonds_micros):
        mint = token.call("mint", owners[at].address, micros)
        post = token.call("transfer", owners[models + at].address, micros)
        ready.append(way.blocks.sender.prepare(usdc, mint, ERRAND_GAS))
        ready.append(wallets.prepare(at, usdc, post, ERRAND_GAS))
        approve = token.call("approve", vault, NO_LIMIT)
        ready.append(wallets.prepare(models + at, usdc, approve, ERRAND_GAS))
    way.blocks.submit(ready, FIRST_SECOND)
    failed(way.blocks.rpc, [("the posting of a bond", item.hash) for item in ready])


class Errands:
    """One run's errands on their way, and what each model can still be made to pay.

    ``held`` is what is in a model's bond account, ``free`` what it has earned beside that, once all
    that was prepared is mined; in micros.
    """

    def __init__(self, way: Way, setup: ChainSetup) -> None:
        self.way = way
        self._vault = vault_of(way.deployment, setup.rail.kind)
        self._ledger, self._token = contract(self._vault.contract), contract("USDC")
        count = len(setup.models)
        models, self._bonds = accounts(AccountKind.MODEL, count), accounts(AccountKind.BOND, count)
        self._names = setup.models
        rpc, usdc = way.blocks.rpc, way.deployment.usdc
        self._wallets = Wallets(rpc, [*models, *self._bonds], way.deployment.chain_id)
        asked = [self._token.call("balanceOf", one.address) for one in (*models, *self._bonds)]
        purses = [integer(answer) for answer in rpc.views(usdc, asked)]
        ids = way.funded.model_ids.tolist()
        earnings = rpc.views(self._vault.place, [self._ledger.call("earnings", one) for one in ids])
        self._held = purses[count:]
        self._free = [
            purse + earned - claimed
            for purse, (earned, claimed) in zip(purses, map(integers, earnings), strict=False)
        ]

    def landed(self, first_block: int) -> int:
        """How many of the errands of a run that began there are on the chain."""
        usdc = self.way.deployment.usdc
        seen = self.way.seen(usdc, [self._token.topic("Transfer")], first_block)
        return sum(map(self._is_slash, seen))

    def _is_slash(self, log: Log) -> bool:
        source, target = (int.from_bytes(topic, "big") for topic in log.topics[1:])
        return target == int(self._vault.place, 16) and source in {
            int(bond.address, 16) for bond in self._bonds
        }

    def earn(self, batch: Batch) -> None:
        """Calls that go to the chain now: what their models earn can be claimed later."""
        for model, micros in zip(
            batch.model.tolist(), (batch.charge_micros - batch.fee_micros).tolist(), strict=True
        ):
            self._free[model] += micros

    def covered(self, errand: Errand) -> bool:
        """Whether a slash can be paid out of what is on the chain by now."""
        return self._held[errand.model] + self._free[errand.model] >= errand.micros

    def prepare(self, errand: Errand) -> Iterator[tuple[str, Transaction]]:
        """The transactions of an errand, each with what it is for."""
        name = f"a slash of {errand.micros} micros for {self._names[errand.model]}"
        for transaction in self._slash(errand):
            yield name, transaction

    def _slash(self, errand: Errand) -> Iterator[Transaction]:
        model, place = errand.model, self._vault.place
        missing = errand.micros - self._held[model]
        if missing > 0:
            claim = self._ledger.call("claim", int(self.way.funded.model_ids[model]))
            yield self._wallets.prepare(model, place, claim, ERRAND_GAS)
            usdc = self.way.deployment.usdc
            more = self._token.call("transfer", self._bonds[model].address, missing)
            yield self._wallets.prepare(model, usdc, more, ERRAND_GAS)
            self._held[model] += missing
            self._free[model] -= missing
        self._held[model] -= errand.micros
        agent = int(self.way.funded.agent_ids[errand.agent])
        deposit = self._ledger.call("deposit", agent, errand.micros)
        yield self._wallets.prepare(len(self._names) + model, place, deposit, ERRAND_GAS)


class ErrandRail:
    """A rail, and the errands between its calls; a `ChainRail` itself."""

    def __init__(self, rail: ChainRail, errands: Errands) -> None:
        self._rail, self._errands = rail, errands
        self.first_call, self.errands_done, self._before = rail.first_call, 0, 0

    def parts(self, batch: Batch) -> Iterator[Part]:
        """As `ChainRail.parts`, and its errands in parts of their own."""
        waiting: list[tuple[str, Transaction]] = []
        start = 0
        for errand in batch.errands:
            if errand.number < self._before:
                continue
            if not self._errands.covered(errand):
                yield from _apart(batch, waiting, errand.number)
                stop = max(start, errand.place - batch.first)
                yield from self._calls(cut(batch, slice(start, stop)))
                waiting, start = [], stop
            waiting += self._errands.prepare(errand)
            if len(waiting) >= TRANSACTIONS_PER_BLOCK:
                yield from _apart(batch, waiting, errand.number + 1)
                waiting = []
        if batch.errands:
            yield from _apart(batch, waiting, batch.errands[-1].number + 1)
        yield from self._calls(cut(batch, slice(start, len(batch))))

    def _calls(self, batch: Batch) -> Iterator[Part]:
        if len(batch):
            self._errands.earn(batch)
            yield from self._rail.parts(replace(batch, errands=()))

    def settle(self, parts: Sequence[Part], seconds: int) -> tuple[list[SettledBatch], Block]:
        """As `ChainRail.settle`; raises `ChainError` naming an errand that could not be done."""
        part = parts[0]
        if not isinstance(part, ErrandPart):
            return self._rail.settle(parts, seconds)
        blocks = self._errands.way.blocks
        span = blocks.submit(part.signed, seconds)
        sent = zip(part.names, (item.hash for item in part.signed), strict=True)
        failed(blocks.rpc, list(sent))
        self.errands_done = part.done
        return [], blocks.rpc.block(span.last)

    def resume(self, first_call: int, first_block: int) -> int:
        """As `ChainRail.resume`: errands that are done are not done again."""
        count = self._rail.resume(first_call, first_block)
        self.first_call = self._rail.first_call
        self.errands_done = self._before = self._errands.landed(first_block)
        return count

    def landed(self, batch: Batch) -> list[SettledBatch]:
        """As `ChainRail.landed`."""
        return self._rail.landed(batch)


def _apart(
    batch: Batch, waiting: Sequence[tuple[str, Transaction]], done: int
) -> Iterator[ErrandPart]:
    """What waits, as one part."""
    if waiting:
        names, signed = zip(*waiting, strict=True)
        yield ErrandPart(0, cut(batch, slice(0, 0)), signed, names=names, done=done)
