"""What a protocol's epochs leave on the chain, by the record: roots, and what was paid in each."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from sim.chain.acts import Bought, Epoch
from sim.chain.merkle import keccak, root
from sim.facts import Kind
from sim.record.moves import Move
from sim.units import Int64Array

Rows = Iterable[Mapping[str, object]]
TABLE: Final = (
    "epoch", "intent", "model", "standing", "rank", "score_ppm", "judged", "multiplier_tenths",
)  # fmt: skip
JUDGES: Final = (
    "epoch", "validator", "seat", "stake_wei", "rounds", "attended", "rewarded", "strikes",
    "slashed_wei", "reward_wei",
)  # fmt: skip


def epochs_of(table: Rows, judges: Rows, moves: Sequence[Move]) -> tuple[Epoch, ...]:
    """Each epoch that has ended, with a root of its scores, its leaderboard and its rewards.

    Leaves are the rows of the tables ``epochs`` and ``validators``, and what was minted at its end
    for whom; each is hashed twice, after the name of what it is.

    Args:
        table, judges: the record's rows by epoch, the last of which was cut short.
        moves: its transfers beside calls.
    """
    leaves: dict[int, list[bytes]] = defaultdict(list)
    ended_us: dict[int, int] = {}
    for row in table:
        number = int(str(row["epoch"]))
        ended_us[number] = int(str(row["ended_us"]))
        leaves[number].append(_leaf("table", (row[name] for name in TABLE)))
    for row in judges:
        leaves[int(str(row["epoch"]))].append(_leaf("validator", (row[name] for name in JUDGES)))
    number_at = {time_us: number for number, time_us in ended_us.items()}
    for move in moves:
        if move.kind is Kind.MINT and move.asset == "MACHINA" and move.time_us in number_at:
            number = number_at[move.time_us]
            leaves[number].append(_leaf("reward", (number, move.target, move.amount)))
    ended = sorted(ended_us)[:-1]
    return tuple(Epoch(ended_us[number], root(leaves[number])) for number in ended)


def _leaf(what: str, values: Iterable[object]) -> bytes:
    texts = (str(int(each) if isinstance(each, Decimal) else each) for each in values)
    return keccak(keccak("|".join((what, *texts)).encode()))


def with_payments(
    epochs: Sequence[Epoch], finished_us: Int64Array, charge_micros: Int64Array,
    unpaid: Int64Array, bought: Sequence[Bought],
) -> Iterator[Epoch]:  # fmt: skip
    """The epochs with what agents were charged in each, and what models bought.

    Where a call was left unpaid, the record does not say any more what it had been charged.

    Args:
        finished_us, charge_micros: of all calls but jobs. unpaid: when those ended that were.
    """
    ends_us = [epoch.ended_us for epoch in epochs]
    micros = np.zeros(len(epochs) + 1, np.int64)
    np.add.at(micros, np.searchsorted(ends_us, finished_us), charge_micros)
    unknown = {*np.searchsorted(ends_us, unpaid).tolist()}
    swaps: list[list[Bought]] = [[] for _ in range(len(epochs) + 1)]
    for each in bought:
        swaps[bisect_left(ends_us, each.time_us)].append(each)
    for at, (epoch, during) in enumerate(zip(epochs, swaps, strict=False)):
        yield epoch._replace(
            ledger_micros=None if at in unknown else int(micros[at]),
            ledger_wei=sum(each.wei for each in during if each.job is None),
            bought_wei=sum(each.wei for each in during),
        )
