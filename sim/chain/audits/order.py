"""Call by call, in order: what a rail's events say, against what the run recorded."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from sim.units import Int64Array

CALLS_NAMED = 5


class Compared(NamedTuple):
    """What is not as it should be: ids of the record, ids of the chain, and all of it in words."""

    missing: tuple[int, ...]
    unexpected: tuple[int, ...]
    differing: tuple[int, ...]
    words: list[str]


def compare_in_order(
    what: str, call_id: Int64Array, found: Mapping[str, list[int]],
    needed: Mapping[str, Int64Array], *, row: str = "call",
) -> Compared:  # fmt: skip
    """Compares columns of what is on chain with those of the record, both in settlement order.

    Args:
        what: is compared, in the plural. call_id: the record's id of each row that is needed.
        found, needed: columns by name, the same names in both. row: what a row is.
    """
    on_chain, count = len(next(iter(found.values()))), len(call_id)
    both = min(on_chain, count)
    differs, words = np.zeros(both, np.bool_), []
    for name, column in needed.items():
        pairs = zip(found[name][:both], column[:both].tolist(), strict=True)
        wrong = np.array([one != other for one, other in pairs], np.bool_)
        differs |= wrong
        words += [
            f"{row} {call_id[at]}: {name} is {found[name][at]} on the chain, {column[at]} in the "
            "record"
            for at in np.flatnonzero(wrong)[:CALLS_NAMED]
        ]
    missing, unexpected = tuple(call_id[both:].tolist()), tuple(range(both, on_chain))
    words += not_the_same(what, missing, len(unexpected))
    return Compared(missing, unexpected, tuple(call_id[:both][differs].tolist()), words)


def not_the_same(what: str, missing: Sequence[int], unexpected: int) -> Iterator[str]:
    """In words: ids of the record that the chain has not, and how much it has beside them."""
    if missing:
        yield f"{len(missing)} {what} of the record are not on the chain, from {missing[0]}"
    if unexpected:
        yield f"{unexpected} {what} of the chain are not in the record"
