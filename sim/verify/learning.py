"""Learning: what routers lose while they find out which model is best, and what is known of it."""

import math
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from sim.parameters import OpenShare
from sim.record.frames import Frames
from sim.verify.case import Case, Found, Known
from sim.verify.markets import INTENT, Part, agents, market, model, ran
from sim.verify.readings import Floats
from sim.verify.solving import quality_of

Flags = npt.NDArray[np.bool_]
Arms = Annotated[tuple[OpenShare, ...], Field(min_length=2, max_length=50)]
ARMS = (0.9, 0.8, 0.7, 0.6, 0.5)
Horizon = Annotated[int, Field(ge=1000, le=1_000_000)]


def play(arms: tuple[float, ...], router: Part, horizon: int, seed: int) -> Frames:
    """One task a second, each answered before the next, by models right with these chances."""
    models = {
        f"m{place:02}": model(0.001, "deterministic", quality={INTENT: quality_of(arm)})
        for place, arm in enumerate(arms)
    }
    asked = agents(1, arrival={"kind": "regular", "per_hour": 3600})
    return ran(market(models, {"a": asked}, horizon, seed, router=router)).frames


def regret(arms: tuple[float, ...], frames: Frames) -> Floats:
    """The regret so far after each task: the sum of best arm - chosen arm."""
    lost = max(arms) - np.array(arms)
    chosen = frames.calls["model"].to_physical().to_numpy()
    return np.cumsum(lost[chosen])


def bandit(rule: str, **changes: object) -> Part:
    """A bandit that looks at success alone."""
    return {"kind": "bandit", "rule": rule, "cheapness": 0, **changes}


def divergence(a: float, b: float) -> float:
    """Kullback and Leibler's, between coins of these chances."""
    return a * math.log(a / b) + (1 - a) * math.log((1 - a) / (1 - b))


class Ucb(Case):
    """UCB1 within its bound, and Thompson's rule better than it on the same tasks."""

    kind: Literal["ucb1"] = "ucb1"
    arms: Arms = ARMS
    horizon: Horizon = 10_000

    def known(self) -> list[Known]:
        """Auer, Cesa-Bianchi and Fischer's (2002) bound."""
        best = max(self.arms)
        gaps = [best - arm for arm in self.arms if arm < best]
        bound = 8 * math.log(self.horizon) * math.fsum(1 / gap for gap in gaps)
        bound += (1 + math.pi**2 / 3) * math.fsum(gaps)
        words = "8 ln n sum of 1/gap + (1 + pi^2/3) sum of gaps"
        return [
            Known("UCB1's regret", words, bound, "at most"),
            Known("Thompson's over UCB1's", "below one", 1.0, "at most"),
        ]

    def observe(self, seed: int) -> Found:
        """One run for either rule."""
        ucb, thompson = (
            float(regret(self.arms, play(self.arms, bandit(rule), self.horizon, seed))[-1])
            for rule in ("ucb1", "thompson")
        )
        return Found([ucb, thompson / ucb])


class Exp3(Case):
    """Exp3, its exploration set for the horizon, within its bound."""

    kind: Literal["exp3"] = "exp3"
    arms: Arms = ARMS
    horizon: Horizon = 10_000

    @property
    def _explore(self) -> float:
        k = len(self.arms)
        return min(0.999, math.sqrt(k * math.log(k) / ((math.e - 1) * self.horizon)))

    def known(self) -> list[Known]:
        """Auer, Cesa-Bianchi, Freund and Schapire's (2002) bound."""
        k = len(self.arms)
        bound = 2 * math.sqrt((math.e - 1) * self.horizon * k * math.log(k))
        return [Known("Exp3's regret", "2 sqrt((e - 1) n K ln K)", bound, "at most")]

    def observe(self, seed: int) -> Found:
        """One run."""
        router = bandit("exp3", explore=self._explore)
        return Found([float(regret(self.arms, play(self.arms, router, self.horizon, seed))[-1])])


class Epsilon(Case):
    """A constant share of exploration never stops costing: regret grows linearly."""

    kind: Literal["epsilon-greedy"] = "epsilon-greedy"
    arms: Arms = ARMS
    explore: OpenShare = 0.2
    horizon: Horizon = 4_000

    def known(self) -> list[Known]:
        """What it loses per task in the long run."""
        gap = math.fsum(max(self.arms) - arm for arm in self.arms) / len(self.arms)
        return [Known("regret per task, later half", "epsilon x mean gap", self.explore * gap)]

    def observe(self, seed: int) -> Found:
        """One run, of which the second half counts."""
        router = bandit("epsilon-greedy", explore=self.explore)
        lost = regret(self.arms, play(self.arms, router, self.horizon, seed))
        half = len(lost) // 2
        return Found([float(lost[-1] - lost[half - 1]) / (len(lost) - half)])


class LaiRobbins(Case):
    """How hard arms are to tell apart, from the market's own verdicts on them."""

    kind: Literal["lai-robbins"] = "lai-robbins"
    arms: Arms = ARMS
    horizon: Horizon = 12_000

    def known(self) -> list[Known]:
        """The least regret per ln n that any consistent rule can have in the long run."""
        words = "sum of gap / KL(arm, best)"
        return [Known("constant of Lai and Robbins", words, constant(self.arms))]

    def observe(self, seed: int) -> Found:
        """One run under random routing: the same of the rates of success that were seen."""
        frames = play(self.arms, {"kind": "random"}, self.horizon, seed)
        chosen = frames.calls["model"].to_physical().to_numpy()
        right = frames.calls["success"].to_numpy()
        places = range(len(self.arms))
        return Found([constant(tuple(float(right[chosen == place].mean()) for place in places))])


def constant(arms: tuple[float, ...]) -> float:
    """Lai and Robbins' (1985), of arms by their chances."""
    best = max(arms)
    return math.fsum((best - arm) / divergence(arm, best) for arm in arms if arm < best)


class Oracle(Case):
    """The oracle is right wherever any model is: each model's luck is its own in every run."""

    kind: Literal["oracle"] = "oracle"
    arms: Arms = (0.6, 0.5, 0.4)
    horizon: Horizon = 1_000

    def known(self) -> list[Known]:
        """Nothing is lost."""
        return [Known("oracle's regret", "right of any - right of its pick", 0, "exact")]

    def observe(self, seed: int) -> Found:
        """One run for each model alone, and one for the oracle, on the same tasks."""
        alone = [
            self._right({"kind": "single", "model": f"m{place:02}"}, seed)
            for place in range(len(self.arms))
        ]
        missed = np.any(alone, axis=0) & ~self._right({"kind": "oracle"}, seed)
        return Found([float(missed.sum())])

    def _right(self, router: Part, seed: int) -> Flags:
        right: Flags = play(self.arms, router, self.horizon, seed).calls["success"].to_numpy()
        return right
