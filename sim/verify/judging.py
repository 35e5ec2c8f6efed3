"""Judging: what scores, audits and stakes do to whoever errs, cheats or lies."""

from typing import Annotated, Literal

import numpy as np
import polars as pl
from pydantic import Field

from sim.intents import INTENTS
from sim.parameters import OpenShare
from sim.record.frames import Frames
from sim.units import PPM
from sim.verify.case import Case, Found, Known
from sim.verify.markets import DEMAND, Part, agents, market, model, ran
from sim.verify.solving import quality_of

ROUND_S = 10
HONEST_STAKE = 1000


class Ewma(Case):
    """A score that averages verdicts with exponential weights, of chance ``right`` each."""

    kind: Literal["ewma"] = "ewma"
    weight: Annotated[float, Field(ge=0.05, le=0.9)] = 0.2
    right: OpenShare = 0.5
    models: Annotated[int, Field(ge=1, le=100)] = 20

    def known(self) -> list[Known]:
        """Its variance in the long run (Roberts 1959)."""
        variance = self.right * (1 - self.right)
        truth = variance * self.weight / (2 - self.weight)
        return [Known("variance of a score", "s^2 a / (2 - a), s^2 = q (1 - q)", truth)]

    def observe(self, seed: int) -> Found:
        """One run in which every model has a score of its own for every intent."""
        intents = INTENTS[:25]
        solved = dict.fromkeys(intents, quality_of(self.right))
        asked = agents(1, intents=dict.fromkeys(intents, DEMAND))
        models = {f"m{place:02}": model(quality=solved) for place in range(self.models)}
        score = {"kind": "ewma", "weight": self.weight}
        judged = {"kind": "median", "noise": 0, "score": score}
        tasks = round(len(intents) * self.models * 5 / self.weight)
        run = ran(market(models, {"a": asked}, tasks, seed, validators=judged))
        names = run.frames.scenario.intents
        scores = np.array([run.scores[names.index(intent)] for intent in intents]) / PPM
        return Found([float(((scores - self.right) ** 2).mean())])


def rounds(
    validators: dict[str, Part], hours: float, seed: int, audit_percent: float = 0.0
) -> Frames:
    """The record of one model, always right, judged in rounds of ten seconds by these validators.

    Nobody loses a seat but by an audit.
    """
    protocol = {
        "kind": "telegraph",
        "epoch_h": 24,
        "spot_checks": {"tasks": 0},
        "validators": validators,
        "consensus": {"seats": 1000, "commit_s": ROUND_S / 2, "reveal_s": ROUND_S / 2,
                      "quorum": 1, "reduced_quorum": 1, "failover_s": 0},
        "discipline": {"strikes": 1_000_000, "audit_percent": audit_percent},
    }  # fmt: skip
    quick = model(0.1, "deterministic")
    asked = agents(1, arrival={"kind": "regular", "per_hour": 3600})
    tasks = round(hours * 3600)
    return ran(market({"m": quick}, {"a": asked}, tasks, seed, protocol=protocol)).frames


class AuditSurvival(Case):
    """Validators who cheat in every round, each audited with chance ``audit``."""

    kind: Literal["audit-survival"] = "audit-survival"
    audit: OpenShare = 0.05
    cheats: Annotated[int, Field(ge=1, le=500)] = 20
    validators: Annotated[int, Field(ge=10, le=900)] = 400

    def known(self) -> list[Known]:
        """Who is still there."""
        return [Known("share not found out", "(1 - p)^k", (1 - self.audit) ** self.cheats)]

    def observe(self, seed: int) -> Found:
        """One run of a few more rounds than that."""
        liars = {"kind": "colluding", "count": self.validators, "favours": ["m"]}
        hours = (self.cheats + 3) * ROUND_S / 3600
        frames = rounds({"liars": liars}, hours, seed, 100 * self.audit)
        of_each = frames.protocol.validators.group_by("validator").agg(
            attended=pl.col("attended").sum(), banned=(pl.col("seat") == "banned").any()
        )
        early = of_each.filter(pl.col("banned") & (pl.col("attended") <= self.cheats))
        return Found([1 - len(early) / self.validators])


class Stakes(Case):
    """Validators who call a right answer wrong, with ``share`` of the stake; the rest err not."""

    kind: Literal["weighted-median"] = "weighted-median"
    share: Annotated[float, Field(ge=0.01, le=0.99)] = 0.49

    def known(self) -> list[Known]:
        """They move nothing below one half, and everything above."""
        moved = float(self.share >= 0.5)
        return [
            Known("share of verdicts moved", "1 if half the stake lies, else 0", moved, "exact")
        ]

    def observe(self, seed: int) -> Found:
        """One run; the liars are as many, with another stake each."""
        stake = HONEST_STAKE * self.share / (1 - self.share)
        validators: dict[str, Part] = {
            "honest": {"kind": "honest", "count": 5, "stake_machina": HONEST_STAKE, "noise": 0},
            "liars": {"kind": "colluding", "count": 5, "stake_machina": f"{stake:.3f}",
                      "noise": 0, "opposes": ["m"]},
        }  # fmt: skip
        calls = rounds(validators, 0.05, seed).calls.filter(pl.col("success"))
        return Found([float((calls["score_ppm"] != PPM).to_numpy().mean())])
