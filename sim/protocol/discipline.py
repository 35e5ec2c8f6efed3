"""What validators answer for: strikes, audits, absence; and what becomes of their stakes."""

from collections import deque
from typing import Final

import numpy as np

from sim.chance import key
from sim.clock import Clock
from sim.facts import Kind
from sim.protocol.books import BONDS, ISSUER, MACHINA, TREASURY, Books
from sim.protocol.jury import Jury, Seat
from sim.protocol.noise import Bits, Flags, happens
from sim.protocols import Discipline
from sim.units import PPM, US_PER_DAY, Int64Array

AUDIT: Final = key("protocol/audit")


def audited(draw: int, keys: Bits, percent: float) -> Flags:
    """Who of ``keys`` is audited in the round of a draw: each with this chance, by itself."""
    return happens(draw ^ AUDIT, keys, np.full(len(keys), round(percent * PPM / 100), np.int64))


class Tribunal:
    """Counts what each validator does, round by round, and sees to it that it is answered for.

    ``held``, ``attended``, ``rewarded`` and ``strikes`` count the rounds of the epoch under way,
    ``agreed`` those that had a result, and so a reward to earn;
    ``slashed_wei`` and ``work_wei`` are what it has cost of the stakes, and in running scripts.
    """

    def __init__(self, clock: Clock, jury: Jury, rules: Discipline, books: Books) -> None:
        self.clock, self.jury, self.rules, self.books = clock, jury, rules, books
        size = len(jury.names)
        self.held, self.attended, self.agreed, self.rewarded, self.strikes = (
            np.zeros(size, np.int64) for _ in range(5)
        )
        self.slashed_wei, self.work_wei = [0] * size, [0] * size
        self.left_us: list[int | None] = [None] * size
        self._struck: list[deque[int]] = [deque() for _ in range(size)]
        self._past: list[deque[tuple[int, int, int]]] = [deque() for _ in range(size)]
        for name, stake in zip(jury.names, jury.stakes, strict=True):
            books.move(0, Kind.MINT, MACHINA, ISSUER, f"validator:{name}", stake)
            books.move(0, Kind.HOLD, MACHINA, f"validator:{name}", BONDS, stake)

    def round_held(self, who: Int64Array, off: Flags) -> None:
        """Counts who took part, who earned the round's reward, and who was too far off for it."""
        self._held(who)
        self.agreed[self.jury.seated] += 1
        self.rewarded[who[~off]] += 1
        now_us = self.clock.now
        for at in who[off].tolist():
            self.strikes[at] += 1
            struck = self._struck[at]
            struck.append(now_us)
            while struck[0] < now_us - self.rules.strikes_within_d * US_PER_DAY:
                struck.popleft()
            if len(struck) >= self.rules.strikes:
                self._leave(at, Seat.EJECTED)

    def round_failed(self, who: Int64Array) -> None:
        """Counts who took part though the quorum was not met: there is no score, and no reward."""
        self._held(who)

    def audit(self, draw: int, who: Int64Array, fabricated: Flags) -> None:
        """Slashes and bans whoever has fabricated and is audited."""
        caught = fabricated & audited(draw, self.jury.keys[who], self.rules.audit_percent)
        for at in who[caught].tolist():
            slash_ppm = round(self.rules.slash_percent * PPM / 100)
            lost = self.jury.stakes[at] * slash_ppm // PPM
            self.jury.stakes[at] -= lost
            self.slashed_wei[at] += lost
            self.books.move(self.clock.now, Kind.SLASH, MACHINA, BONDS, TREASURY, lost)
            self._leave(at, Seat.BANNED)

    def end_epoch(self) -> None:
        """Removes whoever has been absent for too long, and begins to count anew."""
        now_us = self.clock.now
        since_us = now_us - self.rules.absence_d * US_PER_DAY
        most_ppm = round(self.rules.absence_percent * PPM / 100)
        for at in self.jury.seated.tolist():
            past = self._past[at]
            past.append((now_us, int(self.held[at]), int(self.attended[at])))
            known = now_us >= self.rules.absence_d * US_PER_DAY
            while past and past[0][0] <= since_us:
                past.popleft()
            held, attended = (sum(epoch[part] for epoch in past) for part in (1, 2))
            too_many = (held - attended) * PPM > held * most_ppm
            if known and held and (too_many or not attended):
                self._leave(at, Seat.REMOVED)
        for counts in (self.held, self.attended, self.agreed, self.rewarded, self.strikes):
            counts[:] = 0
        self.slashed_wei, self.work_wei = ([0] * len(self.slashed_wei) for _ in range(2))

    def _held(self, who: Int64Array) -> None:
        """A round counts for all that have a seat; who takes part runs the script for it."""
        self.held[self.jury.seated] += 1
        self.attended[who] += 1
        for at in who.tolist():
            self.work_wei[at] += self.jury.work_wei[at]

    def _leave(self, at: int, why: Seat) -> None:
        if self.jury.seats[at] > Seat.WAITING:
            return
        self.jury.seats[at] = why
        self.left_us[at] = self.clock.now
        self.jury.fill()
        self.clock.after(round(self.rules.unbonding_d * US_PER_DAY), self._unbond, at)

    def _unbond(self, at: int) -> None:
        name, stake = f"validator:{self.jury.names[at]}", self.jury.stakes[at]
        self.books.move(self.clock.now, Kind.REFUND, MACHINA, BONDS, name, stake)
        self.jury.stakes[at] = 0
