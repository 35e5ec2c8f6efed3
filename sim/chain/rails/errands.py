"""Errands: what a chain is told beside the calls, each once and at its place among them.

A slash is a deposit out of its model's bond account into the agent's account. Every model has a
bond account of its own, which it pays into before the run; the router holds the key. When the bond
does not cover a slash, the model's earnings do: they are claimed, and go into the bond account
first. A slash comes before the calls of its batch, unless it takes what they earn.

A withdrawal is asked for by the agent itself, in a block of the time at which it asks, and executed
as soon as block times say that its timelock is over.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sim.chain.accounts import AccountKind, accounts
from sim.chain.answers import Block
from sim.chain.contracts import contract, integer, integers
from sim.chain.funding import FIRST_SECOND, TRANSACTIONS_PER_BLOCK, vault_of
from sim.chain.local.work import failed
from sim.chain.pack import cut
from sim.chain.rails.parts import ERRAND_GAS, ChainRail, Part, Way
from sim.chain.rails.withdrawing import Withdrawing
from sim.chain.sender import Transaction, Wallets
from sim.chain.settlement import ChainSetup, SettledBatch
from sim.facts import Batch, Errand, Kind
from sim.units import US_PER_S

NO_LIMIT = 2**256 - 1


@dataclass(frozen=True, slots=True)
class ErrandPart(Part):
    """Errands that share a block of their own: ``names`` says what each transaction is.

    ``done`` counts the run's errands that are on the chain once it is mined. The block is of
    ``time_us``, where that is given, and comes after the timelocks of ``unlocking``, by the chain's
    account ids. ``agents`` are who sends each, where all are steps of withdrawals.
    """

    names: tuple[str, ...] = ()
    done: int = 0
    time_us: int | None = None
    unlocking: tuple[int, ...] = ()
    agents: tuple[int, ...] = ()


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


class Slashing:
    """Slashes on their way, and what each model can still be made to pay, in micros.

    ``held`` is what is in a model's bond account, ``free`` what it has earned beside that, once all
    that was prepared is mined.
    """

    def __init__(self, way: Way, setup: ChainSetup) -> None:
        self._way, self._vault = way, vault_of(way.deployment, setup.rail.kind)
        self._ledger, self._token = contract(self._vault.contract), contract("USDC")
        count = len(setup.models)
        models, self._bonds = accounts(AccountKind.MODEL, count), accounts(AccountKind.BOND, count)
        self._names, self._usdc = setup.models, way.deployment.usdc
        rpc = way.blocks.rpc
        self._wallets = Wallets(rpc, [*models, *self._bonds], way.deployment.chain_id)
        asked = [self._token.call("balanceOf", one.address) for one in (*models, *self._bonds)]
        purses = [integer(answer) for answer in rpc.views(self._usdc, asked)]
        asked = [self._ledger.call("earnings", one) for one in way.funded.model_ids.tolist()]
        earnings = map(integers, rpc.views(self._vault.place, asked))
        unclaimed = [earned - claimed for earned, claimed in earnings]
        self._held = purses[count:]
        self._free = np.array(purses[:count], np.int64) + np.array(unclaimed, np.int64)

    def landed(self, first_block: int) -> int:
        """How many slashes of a run that began there are on the chain."""
        bonds, vault = {int(bond.address, 16) for bond in self._bonds}, int(self._vault.place, 16)
        seen = self._way.seen(self._usdc, [self._token.topic("Transfer")], first_block)
        pairs = ([int.from_bytes(topic, "big") for topic in log.topics[1:]] for log in seen)
        return sum(source in bonds and target == vault for source, target in pairs)

    def earn(self, batch: Batch) -> None:
        """Calls that go to the chain now: what their models earn can be claimed later."""
        np.add.at(self._free, batch.model, batch.charge_micros - batch.fee_micros)

    def covered(self, errand: Errand) -> bool:
        """Whether a slash can be paid out of what is on the chain by now."""
        return self._held[errand.model] + int(self._free[errand.model]) >= errand.micros

    def prepare(self, errand: Errand) -> Iterator[tuple[str, Transaction]]:
        """The transactions of a slash, each with what it is for."""
        model, place, wallets = errand.model, self._vault.place, self._wallets
        name = f"a slash of {errand.micros} micros for {self._names[model]}"
        missing = errand.micros - self._held[model]
        if missing > 0:
            claim = self._ledger.call("claim", int(self._way.funded.model_ids[model]))
            yield name, wallets.prepare(model, place, claim, ERRAND_GAS)
            more = self._token.call("transfer", self._bonds[model].address, missing)
            yield name, wallets.prepare(model, self._usdc, more, ERRAND_GAS)
            self._held[model] += missing
            self._free[model] -= missing
        self._held[model] -= errand.micros
        agent = int(self._way.funded.agent_ids[errand.agent])
        deposit = self._ledger.call("deposit", agent, errand.micros)
        yield name, wallets.prepare(len(self._names) + model, place, deposit, ERRAND_GAS)


class _Waiting:
    """Transactions of errands until a part is made of them."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, Transaction]] = []
        self._time_us: int | None = None
        self._unlocking: list[int] = []
        self._agents: list[int] = []
        self._done = 0

    def full(self, errand: Errand) -> bool:
        """Whether an errand needs a part of its own, after this."""
        other = bool(self._rows) and self._time_us != _time_us(errand)
        return other or len(self._rows) >= TRANSACTIONS_PER_BLOCK

    def add(self, errand: Errand, rows: Iterable[tuple[str, Transaction]]) -> None:
        """Takes an errand's transactions."""
        self._rows += rows
        self._time_us, self._done = _time_us(errand), errand.number + 1
        if errand.kind is Kind.WITHDRAWAL:
            self._unlocking.append(errand.agent)
        if errand.kind is not Kind.SLASH:
            self._agents.append(errand.agent)

    def part(self, batch: Batch) -> Iterator[ErrandPart]:
        """What waits, as one part; nothing waits then."""
        if self._rows:
            names, signed = zip(*self._rows, strict=True)
            yield ErrandPart(
                0, cut(batch, slice(0, 0)), signed, names=names, done=self._done,
                time_us=self._time_us, unlocking=tuple(self._unlocking),
                agents=tuple(self._agents),
            )  # fmt: skip
        self._rows, self._unlocking, self._agents = [], [], []


class ErrandRail:
    """A rail, and the errands between its calls; a `ChainRail` itself."""

    def __init__(self, rail: ChainRail, way: Way, setup: ChainSetup) -> None:
        self._rail, self._way = rail, way
        self._slashing = Slashing(way, setup) if setup.bonds_micros else None
        self._withdrawing = Withdrawing(way, setup) if setup.withdraws else None
        self.first_call, self.errands_done, self._before = rail.first_call, 0, 0

    def parts(self, batch: Batch) -> Iterator[Part]:
        """As `ChainRail.parts`, and its errands in parts of their own."""
        waiting, start = _Waiting(), 0
        for errand in batch.errands:
            if errand.number < self._before:
                continue
            if waiting.full(errand):
                yield from waiting.part(batch)
            if not self._covered(errand):
                yield from waiting.part(batch)
                stop = max(start, errand.place - batch.first)
                yield from self._calls(cut(batch, slice(start, stop)))
                start = stop
            waiting.add(errand, self._prepare(errand))
        yield from waiting.part(batch)
        yield from self._calls(cut(batch, slice(start, len(batch))))

    def _covered(self, errand: Errand) -> bool:
        """Whether what is on the chain by now suffices for an errand."""
        if errand.kind is not Kind.SLASH or self._slashing is None:
            return True
        return self._slashing.covered(errand)

    def _prepare(self, errand: Errand) -> Iterator[tuple[str, Transaction]]:
        way = self._slashing if errand.kind is Kind.SLASH else self._withdrawing
        assert way is not None
        return way.prepare(errand)

    def _calls(self, batch: Batch) -> Iterator[Part]:
        if len(batch):
            if self._slashing is not None:
                self._slashing.earn(batch)
            yield from self._rail.parts(replace(batch, errands=()))

    def settle(self, parts: Sequence[Part], seconds: int) -> tuple[list[SettledBatch], Block]:
        """As `ChainRail.settle`; raises `ChainError` naming an errand that could not be done."""
        part, blocks = parts[0], self._way.blocks
        if not isinstance(part, ErrandPart):
            return self._rail.settle(parts, seconds)
        if part.time_us is not None:
            seconds = -(-part.time_us // US_PER_S)
        if self._withdrawing is not None and part.unlocking:
            zero_unix = blocks.zero_unix or 0
            seconds = max(seconds, self._withdrawing.unlocked_unix(part.unlocking) - zero_unix)
        if self._withdrawing is not None and not blocks.sender.on_own_chain:
            span = self._withdrawing.submit(part.agents, part.signed, seconds)
        else:
            span = blocks.submit(part.signed, seconds)
        sent = zip(part.names, (item.hash for item in part.signed), strict=True)
        failed(blocks.rpc, list(sent))
        self.errands_done = part.done
        return [], blocks.rpc.block(span.last)

    def resume(self, first_call: int, first_block: int) -> int:
        """As `ChainRail.resume`: errands that are done are not done again."""
        count = self._rail.resume(first_call, first_block)
        self.first_call = self._rail.first_call
        ways = [way for way in (self._slashing, self._withdrawing) if way is not None]
        self.errands_done = self._before = sum(way.landed(first_block) for way in ways)
        return count

    def landed(self, batch: Batch) -> list[SettledBatch]:
        """As `ChainRail.landed`."""
        return self._rail.landed(batch)


def _time_us(errand: Errand) -> int | None:
    """When an errand's block is to be; with the calls around it if None."""
    return None if errand.kind is Kind.SLASH else errand.time_us
