"""The parameters of the Telegraph protocol's clock, with the values its documents give."""

from typing import Literal

from pydantic import Field

from sim.parameters import Count, Parameters, Positive, PositiveCount
from sim.protocols.money import Emission, Purchases
from sim.protocols.pricing import Jobs, Pricing
from sim.protocols.validators import (
    Consensus,
    Discipline,
    Hours,
    Names,
    Percent,
    ValidatorGroup,
)


class SpotChecks(Parameters):
    """Every ``every_s`` seconds one model on one table answers ``tasks`` reference tasks.

    If its share of right answers is more than ``revoke_below_percent`` per cent below the score
    that the table has for it, its routing is revoked until the epoch ends. The fewer tasks, the
    more honest models are revoked by bad luck; 0 tasks: no checks.
    """

    every_s: Positive = Field(default=20.0, ge=0.1, le=1e7)
    tasks: Count = Field(default=400, le=10_000)
    revoke_below_percent: Percent = 20.0


class Registration(Parameters):
    """When a model registers; ``again_every_h`` later it does so again, and so on.

    A new registration has a new id: grace begins again, and what was known is forgotten.
    """

    at_h: Hours
    again_every_h: Positive | None = Field(default=None, ge=0.01, le=1_000_000)


class Telegraph(Parameters):
    """Epochs, tournaments, grace, spot checks and revocation; consensus and what enforces it.

    Args:
        epoch_h: at each epoch's end the table of every intent is settled from the verdicts since
            the last, those of a tournament of ``tournament_tasks`` reference tasks among them.
        grace_h: how long a newly registered model is off the tables, sharing the router's
            ``grace_percent``; then its score since its registration ranks it.
        calls_per_minute: the rate limit of a model that declares none.
        registrations: the models that register during the run, by id; all others had done so long
            before it. Until then a model gets no task.
        tier_a: the intents with one right answer: their scripts compare, and every validator that
            runs one finds the same. All others are tier B: judged, with each validator's ``noise``.
        validators: the groups that judge, by id, in rounds of ``consensus`` and under
            ``discipline``. Without any, a round ends in what the scenario's ``validators`` find.
        pricing: floors and demand multipliers; models ask their list prices when left out. A floor
            that an event changes is a new registration.
        jobs: the tasks that are bought as on-chain jobs; none when left out.
        emission: the MACHINA that each epoch makes.
        purchases: what models earn buys MACHINA for them; they keep USDC when left out.
    """

    kind: Literal["telegraph"] = "telegraph"
    epoch_h: Positive = Field(default=24.0, ge=0.01, le=1e6)
    tournament_tasks: PositiveCount = Field(default=100, le=10_000)
    grace_h: Hours = 168.0
    calls_per_minute: PositiveCount = Field(default=600, le=10**9)
    spot_checks: SpotChecks = SpotChecks()
    registrations: dict[str, Registration] = {}
    tier_a: Names = ()
    validators: dict[str, ValidatorGroup] = {}
    pricing: Pricing | None = None
    jobs: Jobs | None = None
    consensus: Consensus = Consensus()
    discipline: Discipline = Discipline()
    emission: Emission = Emission()
    purchases: Purchases | None = None
