"""What models do at the port's registry, in the order of the run."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import groupby
from typing import Final, NamedTuple

from sim.chain.acts import Acts
from sim.chain.contracts import contract
from sim.chain.merkle import keccak
from sim.chain.sender import Transaction, Wallets

GAS: Final = 3_000_000  # all canonical intents take 2 million
BEFORE: Final = -1  # when those were made that stood before the run


class Verb(StrEnum):
    """The port's functions by which a model changes its registration."""

    REGISTER = "registerMiner"
    UPDATE = "updateMiner"
    DEREGISTER = "deregisterMiner"


class Deed(NamedTuple):
    """One transaction of a model's, of its registrations by their ids.

    Args:
        ended: the one that it ends, 0 for none. made: the one that it makes, 0 for none.
    """

    time_us: int
    verb: Verb
    model: int
    ended: int
    made: int


def deeds(acts: Acts) -> list[Deed]:
    """All that models do at the registry, in order.

    A registration that follows on another of the same model replaces it, by one transaction.
    """
    found: list[Deed] = []
    last: dict[int, tuple[int, int | None]] = {}
    for number, each in enumerate(acts.registrations, 1):
        time_us = BEFORE if each.registered_us is None else each.registered_us
        before, left_us = last.get(each.model, (0, None))
        if before and left_us == time_us:
            found.append(Deed(time_us, Verb.UPDATE, each.model, before, number))
        else:
            found.append(Deed(time_us, Verb.REGISTER, each.model, 0, number))
        last[each.model] = number, each.left_us
    replaced = {deed.ended for deed in found}
    for number, each in enumerate(acts.registrations, 1):
        if each.left_us is not None and number not in replaced:
            found.append(Deed(each.left_us, Verb.DEREGISTER, each.model, number, 0))
    return sorted(found, key=lambda deed: (deed.time_us, deed.made or deed.ended))


def url_of(model: str) -> str:
    """Where a model's description is, as the port is told."""
    return f"telex:{model}"


def digest_of(url: str) -> bytes:
    """What the port is told as the description's hash: that of its place, which names the model."""
    return keccak(url.encode())


class Registering:
    """The transactions of `deeds`, taken from the first to the last.

    Args:
        owners: the models' addresses.
    """

    def __init__(self, acts: Acts, port: str, owners: Sequence[str]) -> None:
        self._acts, self._port, self._owners = acts, port, owners
        self._left = deeds(acts)

    def until(self, time_us: int | None) -> list[list[Deed]]:
        """Takes what is done up to a time (None: all the rest), in runs of the same model's."""
        count = len(self._left)
        if time_us is not None:
            count = sum(deed.time_us <= time_us for deed in self._left)
        taken, self._left = self._left[:count], self._left[count:]
        return [list(some) for _, some in groupby(taken, lambda deed: deed.model)]

    def prepare(self, deed: Deed, wallets: Wallets) -> tuple[str, Transaction]:
        """A deed's transaction, after what it is."""
        name = self._acts.miners[deed.model].model
        made = wallets.prepare(deed.model, self._port, self._data(deed), GAS)
        return f"{deed.verb} of {name}", made

    def _data(self, deed: Deed) -> bytes:
        port = contract("Port")
        if deed.verb is Verb.DEREGISTER:
            return port.call(deed.verb, deed.ended)
        miner, made = self._acts.miners[deed.model], self._acts.registrations[deed.made - 1]
        url = url_of(miner.model)
        terms = (
            url, digest_of(url), self._owners[deed.model], made.floor_micros, miner.intents,
        )  # fmt: skip
        if deed.verb is Verb.UPDATE:
            return port.call(deed.verb, deed.ended, *terms)
        return port.call(deed.verb, *terms)
