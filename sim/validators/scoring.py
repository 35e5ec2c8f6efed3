"""How a model's score, per intent, follows from the verdicts that it gets over time.

A rule says where a score ``starts`` and makes the ``running`` score that takes one verdict after
the other, all in ppm. States are ints, so that a score does not depend on the processor.
"""

from collections import deque
from typing import Annotated, Literal, Protocol

from pydantic import Field

from sim.parameters import OpenShare, Parameters, Positive, PositiveCount, Share
from sim.units import PPM

FINE = 1 << 20


class Running(Protocol):
    """A score while it runs."""

    def take(self, verdict_ppm: int) -> int:
        """Takes a verdict; returns the score, in ppm, rounded down."""
        ...


class Window(Parameters):
    """The mean of the last ``verdicts``; the declared quality stands in for those to come."""

    kind: Literal["window"] = "window"
    verdicts: PositiveCount = Field(default=200, le=100_000)

    def starts(self, declared_ppm: int) -> int:
        """The declared quality."""
        return declared_ppm

    def running(self, declared_ppm: int) -> Running:
        """A mean over a sliding window."""
        return _Sliding(declared_ppm, self.verdicts)


class _Sliding:
    def __init__(self, declared_ppm: int, verdicts: int) -> None:
        self.last = deque([declared_ppm] * verdicts)
        self.total, self.size = declared_ppm * verdicts, verdicts

    def take(self, verdict_ppm: int) -> int:
        self.total += verdict_ppm - self.last.popleft()
        self.last.append(verdict_ppm)
        return self.total // self.size


class Cumulative(Parameters):
    """The mean of all verdicts so far; the declared quality until there is one."""

    kind: Literal["cumulative"] = "cumulative"

    def starts(self, declared_ppm: int) -> int:
        """The declared quality."""
        return declared_ppm

    def running(self, declared_ppm: int) -> Running:
        """A mean that never forgets."""
        del declared_ppm
        return _Whole()


class _Whole:
    def __init__(self) -> None:
        self.total = self.count = 0

    def take(self, verdict_ppm: int) -> int:
        self.total += verdict_ppm
        self.count += 1
        return self.total // self.count


class Ewma(Parameters):
    """score + ``weight`` (verdict - score), from the declared quality on (Roberts 1959).

    Of verdicts that are independent with variance s^2, the score's is s^2 weight / (2 - weight) in
    the long run; what happened n verdicts ago counts (1 - weight)^n.
    """

    kind: Literal["ewma"] = "ewma"
    weight: OpenShare = 0.01

    def starts(self, declared_ppm: int) -> int:
        """The declared quality."""
        return declared_ppm

    def running(self, declared_ppm: int) -> Running:
        """An exponentially weighted moving average."""
        return _Moving(declared_ppm, round(self.weight * FINE))


class _Moving:
    def __init__(self, declared_ppm: int, weight: int) -> None:
        self.score, self.weight = declared_ppm * FINE, weight

    def take(self, verdict_ppm: int) -> int:
        self.score += self.weight * (verdict_ppm * FINE - self.score) // FINE
        return self.score // FINE


class Beta(Parameters):
    """The mean (right + r) / (right + wrong + r + s) of a Beta posterior (Josang, Ismail 2002).

    The prior is Beta(``right``, ``wrong``), whatever a model declares; a verdict v adds v to r and
    1 - v to s, after both have lost the share ``forgetting``.
    """

    kind: Literal["beta"] = "beta"
    right: Positive = Field(default=1.0, ge=1e-3, le=1e6)
    wrong: Positive = Field(default=1.0, ge=1e-3, le=1e6)
    forgetting: Annotated[Share, Field(lt=1)] = 0.0

    def starts(self, declared_ppm: int) -> int:
        """The prior's mean."""
        del declared_ppm
        return _Posterior(self.right, self.wrong, self.forgetting).score

    def running(self, declared_ppm: int) -> Running:
        """A posterior, updated verdict by verdict."""
        del declared_ppm
        return _Posterior(self.right, self.wrong, self.forgetting)


class _Posterior:
    def __init__(self, right: float, wrong: float, forgetting: float) -> None:
        self.right, self.wrong = round(right * FINE), round(wrong * FINE)
        self.r = self.s = 0
        self.keep = FINE - round(forgetting * FINE)

    @property
    def score(self) -> int:
        right = self.right * PPM + self.r
        return right * PPM // (right + self.wrong * PPM + self.s)

    def take(self, verdict_ppm: int) -> int:
        self.r = self.r * self.keep // FINE + verdict_ppm * FINE
        self.s = self.s * self.keep // FINE + (PPM - verdict_ppm) * FINE
        return self.score


ScoreRule = Annotated[Window | Cumulative | Ewma | Beta, Field(discriminator="kind")]
SCORES = {"window": Window, "cumulative": Cumulative, "ewma": Ewma, "beta": Beta}
