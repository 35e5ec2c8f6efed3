"""The rail of payment channels: cumulative vouchers, claimed together; and the book behind it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final, Literal, NamedTuple

import numpy as np
from pydantic import Field

from sim.parameters import Positive, PositiveUsd
from sim.rails.gas import gas
from sim.rails.paid import Load, Paid
from sim.rails.settling import Settling
from sim.units import Int64Array, micros_from_usd_exact

VOUCHERS_PER_CLAIM: Final = 100

Pair = tuple[int, int]
"""A channel, by the positions of its agent and its model."""


class Move(NamedTuple):
    """Money into a channel out of its agent's wallet, or back (``micros`` below zero)."""

    pair: Pair
    micros: int


class ChannelBook:
    """What every channel holds and has paid: filled when a charge needs it, never beforehand.

    A channel is filled by ``deposit_micros``, or by what is missing if that is more, or by all its
    agent still has if that is less. An agent whose wallet does not hold what is missing first takes
    back what its other channels hold unclaimed, so that it can pay whatever its budget can.
    """

    def __init__(self, budgets: Int64Array, deposit_micros: int) -> None:
        self.wallet: list[int] = budgets.tolist()
        self.deposited: defaultdict[Pair, int] = defaultdict(int)
        self.claimed: defaultdict[Pair, int] = defaultdict(int)
        self.locked_micros = self.locked_most_micros = 0
        self._deposit_micros = deposit_micros
        self._channels_of: defaultdict[int, list[Pair]] = defaultdict(list)

    def settle(self, due: Mapping[Pair, int]) -> list[Move]:
        """Books what is due from each channel; returns the moves that let all of them pay it."""
        for pair, micros in due.items():
            self.claimed[pair] += micros
        moves = [move for pair in due for move in self._fill(pair)]
        self.locked_most_micros = max(self.locked_most_micros, self.locked_micros)
        self.locked_micros -= sum(due.values())
        return moves

    def put_right(
        self, wallet: Mapping[int, int], held: Mapping[Pair, int], claimed: Mapping[Pair, int]
    ) -> None:
        """Takes over what was found where moves have failed: wallets by agent, channels by pair."""
        for agent, micros in wallet.items():
            self.wallet[agent] = micros
        for pair, micros in held.items():
            self.deposited[pair] = micros
            if pair not in self._channels_of[pair[0]]:
                self._channels_of[pair[0]].append(pair)
        self.claimed.update(claimed)
        self.locked_micros = sum(self.deposited.values()) - sum(self.claimed.values())

    def _fill(self, pair: Pair) -> Iterator[Move]:
        missing, (agent, _) = self.claimed[pair] - self.deposited[pair], pair
        if missing <= 0:
            return
        if missing > self.wallet[agent]:
            yield from self._take_back(agent)
        if pair not in self._channels_of[agent]:
            self._channels_of[agent].append(pair)
        micros = max(missing, min(self._deposit_micros, self.wallet[agent]))
        yield self._move(pair, micros)

    def _take_back(self, agent: int) -> Iterator[Move]:
        for pair in self._channels_of[agent]:
            unclaimed = self.deposited[pair] - self.claimed[pair]
            if unclaimed > 0:
                yield self._move(pair, -unclaimed)

    def _move(self, pair: Pair, micros: int) -> Move:
        self.wallet[pair[0]] -= micros
        self.deposited[pair] += micros
        self.locked_micros += micros
        return Move(pair, micros)


def due(agent: Int64Array, model: Int64Array, charge_micros: Int64Array) -> dict[Pair, int]:
    """What a batch's calls come to per channel, those without a charge left out."""
    paid = charge_micros > 0
    pairs, at = np.unique(np.stack([agent[paid], model[paid]], axis=1), axis=0, return_inverse=True)
    sums = np.zeros(len(pairs), np.int64)
    np.add.at(sums, at.reshape(-1), charge_micros[paid])
    return {(a, m): micros for (a, m), micros in zip(pairs.tolist(), sums.tolist(), strict=True)}


class ChannelRail(Settling):
    """Agents sign vouchers for all they owe a model so far; the router claims the latest of each.

    Args:
        size: the most calls claimed together. interval_s: the tick of claims, in simulated seconds.
        settle_on, fee_bps: as in every rail.
        deposit_usd: what a channel is filled with when its agent and model first need it, and again
            whenever it runs dry.
    """

    kind: Literal["channel"] = "channel"
    size: int = Field(default=10_000, ge=1, le=100_000, strict=True)
    interval_s: Positive = 3600.0
    deposit_usd: PositiveUsd = Decimal(5)

    def gas(self, load: Load, *, events: bool) -> int:
        """As `Settling.gas`: a claim per 100 channels, the hub paid once, and its split."""
        figures, claims = gas().channel, -(-load.pairs // VOUCHERS_PER_CLAIM)
        claimed = claims * figures.claim_base + load.pairs * figures.claim_per_voucher
        settled = figures.settle if claims else 0
        return claimed + settled + figures.split(load.calls, load.models)

    def book(self, budgets: Int64Array) -> ChannelBook:
        """The channels of one run, none of them open yet."""
        return ChannelBook(budgets, micros_from_usd_exact(self.deposit_usd))

    def locked_micros(self, paid: Paid) -> int:
        """As `Settling.locked_micros`: what channels held unclaimed, at most at any time."""
        book = self.book(paid.budget_micros)
        edges = np.flatnonzero(np.diff(paid.batch)) + 1
        for rows in np.split(np.arange(len(paid.batch)), edges):
            book.settle(due(paid.agent[rows], paid.model[rows], paid.charge_micros[rows]))
        return book.locked_most_micros
