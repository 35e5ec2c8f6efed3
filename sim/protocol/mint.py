"""The mint: what each epoch makes of MACHINA, and who gets it."""

from typing import Final

from sim.facts import Kind
from sim.protocol.books import ISSUER, MACHINA, POOL, TREASURY, Books
from sim.protocol.discipline import Tribunal
from sim.protocol.jury import Jury
from sim.protocols import Emission
from sim.units import Int64Array

AUTHOR: Final = "author:"


class Mint:
    """Mints what the epochs before the run have made, then epoch by epoch.

    What is not asked of the first part (``bonded_wei`` by validators, ``pooled_wei`` by the pool)
    is the treasury's.
    """

    def __init__(self, rules: Emission, books: Books, bonded_wei: int, pooled_wei: int) -> None:
        self.rules, self.books = rules, books
        self.epoch = rules.epochs_before
        self.supply_wei = rules.supply_wei(self.epoch)
        self.emitted_wei = 0
        books.move(0, Kind.MINT, MACHINA, ISSUER, POOL, pooled_wei)
        left = self.supply_wei - bonded_wei - pooled_wei
        books.move(0, Kind.MINT, MACHINA, ISSUER, TREASURY, left)

    def end_epoch(
        self, now_us: int, jury: Jury | None, tribunal: Tribunal | None, uses: dict[str, int]
    ) -> list[int]:
        """Mints an epoch's tokens; returns what each validator got.

        Args:
            uses: by intent, on how many answers its script judged in the epoch.
        """
        amount = self.rules.due_wei(self.epoch, self.supply_wei)
        self.epoch += 1
        self.supply_wei += amount
        self.emitted_wei += amount
        for_validators, for_authors = self.rules.parts_wei(amount)
        left = amount
        rewards: list[int] = []
        if jury is not None and tribunal is not None:
            rewards = _equal_shares(for_validators, tribunal.rewarded, tribunal.agreed)
            for name, reward in zip(jury.names, rewards, strict=True):
                self._give(now_us, f"validator:{name}", reward)
        left -= sum(rewards)
        every = sum(uses.values())
        for intent, count in uses.items():
            share = for_authors * count // every if every else 0
            self._give(now_us, f"{AUTHOR}{intent}", share)
            left -= share
        self._give(now_us, TREASURY, left)
        return rewards

    def _give(self, now_us: int, account: str, amount_wei: int) -> None:
        self.books.move(now_us, Kind.MINT, MACHINA, ISSUER, account, amount_wei)


def _equal_shares(amount: int, rewarded: Int64Array, agreed: Int64Array) -> list[int]:
    """Each validator's part: every seat of every round is worth the same, if it was earned."""
    seats = int(agreed.sum())
    return [amount * each // seats if seats else 0 for each in rewarded.tolist()]
