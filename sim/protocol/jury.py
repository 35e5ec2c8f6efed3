"""The jury: who the validators are, who of them takes part, and what each of them reports."""

from enum import IntEnum
from typing import Final

import numpy as np

from sim.chance import key
from sim.protocol.noise import Bits, Flags, happens, mixed, normals
from sim.protocols import Colluding, Copying, Telegraph
from sim.units import PPM, Int64Array, us_from_hours_nearest

WEI_PER_MACHINA: Final = 10**18
WEI_PER_WEIGHT: Final = 10**15
NEVER_US: Final = 1 << 62
PRESENCE: Final = key("protocol/presence")


class Seat(IntEnum):
    """Whether a validator takes part, or why it does not."""

    SEATED = 0
    WAITING = 1
    EJECTED = 2
    BANNED = 3
    REMOVED = 4


class Jury:
    """All validators, as columns by position: group by group, as the scenario has them.

    ``stakes`` are in wei; ``seated`` the positions of those that may take part; ``work_wei`` what a
    round costs each that runs its script.
    """

    def __init__(self, protocol: Telegraph, models: list[str]) -> None:
        groups = protocol.validators
        self.models = models
        self.names = [f"{g}/{at}" for g, group in groups.items() for at in range(group.count)]
        self.keys: Bits = np.array([key(f"protocol/validator/{n}") for n in self.names], np.uint64)
        self.stakes = [
            int(group.stake_machina * WEI_PER_MACHINA)
            for group in groups.values()
            for _ in range(group.count)
        ]
        self.seats = [Seat.WAITING] * len(self.names)
        self.adopt(protocol)

    def adopt(self, protocol: Telegraph) -> None:
        """What the validators do, and how many of them have a seat, from the next round on."""
        self.places = protocol.consensus.seats
        of_each = [group for group in protocol.validators.values() for _ in range(group.count)]
        origins = [f"{group.of}/0" if isinstance(group, Copying) else name
                   for group, name in zip(of_each, self.names, strict=True)]  # fmt: skip
        source = np.array(list(map(self.names.index, origins)), np.int64)
        self.noise_keys: Bits = self.keys[source]
        self.noise = np.array([group.noise * PPM for group in of_each])[source]
        self.presence = np.array([round(group.presence * PPM) for group in of_each], np.int64)
        leaves = [group.leaves_h for group in of_each]
        self.leaves_us = np.array(
            [NEVER_US if hour is None else us_from_hours_nearest(hour) for hour in leaves], np.int64
        )
        self.copies = np.array([isinstance(group, Copying) for group in of_each])
        self.work_wei = [
            0 if isinstance(group, Copying) else int(group.work_machina * WEI_PER_MACHINA)
            for group in of_each
        ]
        pacts = [group if isinstance(group, Colluding) else None for group in of_each]
        names = self.models
        self.favours = _named([pact.favours if pact else () for pact in pacts], names)[source]
        self.opposes = _named([pact.opposes if pact else () for pact in pacts], names)[source]
        self.fill()

    def fill(self) -> None:
        """Seats the top by stake of those that may be; the first of equals."""
        able = [at for at, seat in enumerate(self.seats) if seat <= Seat.WAITING]
        able.sort(key=self.stakes.__getitem__, reverse=True)
        for place, at in enumerate(able):
            self.seats[at] = Seat.SEATED if place < self.places else Seat.WAITING
        self.seated = np.array(sorted(able[: self.places]), np.int64)

    def present(self, draw: int, now_us: int) -> Int64Array:
        """Those of the seated that take part in a round."""
        seated = self.seated
        there = happens(draw ^ PRESENCE, self.keys[seated], self.presence[seated])
        found: Int64Array = seated[there & (now_us < self.leaves_us[seated])]
        return found

    def observed(
        self, who: Int64Array, truth_ppm: Int64Array, models: Int64Array, draws: Bits,
        tasks: Int64Array, exact: Flags,
    ) -> Int64Array:  # fmt: skip
        """(answers, validators): what each reports of each answer, not clipped.

        Args:
            who: positions of the validators. truth_ppm, models, draws, tasks: of the answers.
            exact: which of them there is one right answer to, so that nobody errs.
        """
        spread = self.noise[who][None, :] / np.where(exact, np.inf, np.sqrt(tasks))[:, None]
        errors = np.rint(normals(mixed(draws, self.noise_keys[who])) * spread)
        reports: Int64Array = truth_ppm[:, None] + errors.astype(np.int64)
        reports[self.favours[who][:, models].T] = PPM
        reports[self.opposes[who][:, models].T] = 0
        return reports

    def fabricated(self, who: Int64Array, models: Int64Array) -> Flags:
        """Who of them does not report what its own script found of all of these models' answers."""
        lies = (self.favours[who] | self.opposes[who])[:, models].any(axis=1)
        flags: Flags = lies | self.copies[who]
        return flags

    def weights(self, who: Int64Array) -> Int64Array:
        """Their stakes in thousandths of MACHINA, rounded down, but at least 1."""
        return np.array([max(1, self.stakes[at] // WEI_PER_WEIGHT) for at in who.tolist()])


def _named(names: list[tuple[str, ...]], models: list[str]) -> Flags:
    """(validators, models): which models each one names."""
    return np.array([[model in mine for model in models] for mine in names], np.bool_)
