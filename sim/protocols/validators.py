"""Validators as the protocol has them: who they are, how they agree, what they answer for."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from sim.parameters import NonNegative, Parameters, Positive, PositiveCount, Share

Machina = Annotated[Decimal, Field(ge=0, le=21_000_000, decimal_places=18)]
Percent = Annotated[float, Field(ge=0, le=100)]
Days = Annotated[float, Field(ge=0, le=100_000)]
Hours = Annotated[float, Field(ge=0, le=1_000_000)]
Names = tuple[Annotated[str, Field(min_length=1, max_length=64)], ...]


class _Group(Parameters):
    """What all validators of a group share.

    Args:
        count: how many. stake_machina: what each has bonded.
        noise: standard deviation of one's error on one answer, on scores from 0 to 1; on the mean
            of n answers it is noise / sqrt(n).
        presence: the share of rounds that each takes part in, at random.
        leaves_h: from when on none takes part any more.
        work_machina: what it costs to run the script for a round; not paid to anybody.
    """

    count: PositiveCount = Field(le=1000)
    stake_machina: Machina = Decimal(1000)
    noise: NonNegative = Field(default=0.02, le=10)
    presence: Share = 1.0
    leaves_h: Hours | None = None
    work_machina: Machina = Decimal(0)


class Honest(_Group):
    """Each runs the script and reports what it observes."""

    kind: Literal["honest"] = "honest"


class Copying(_Group):
    """Each reports what the first validator of the group ``of`` does, and runs no script.

    Nothing in its scores gives it away: only an audit does, and what it passes off as its ground
    truth is then found to be fabricated.
    """

    kind: Literal["copying"] = "copying"
    of: str = Field(min_length=1, max_length=64)


class Colluding(_Group):
    """Each reports 1 for the models it ``favours``, 0 for those it ``opposes``, and else the truth.

    To have done so is to have fabricated.
    """

    kind: Literal["colluding"] = "colluding"
    favours: Names = ()
    opposes: Names = ()


ValidatorGroup = Annotated[Honest | Copying | Colluding, Field(discriminator="kind")]
VALIDATOR_GROUPS: dict[str, type[_Group]] = {
    "honest": Honest,
    "copying": Copying,
    "colluding": Colluding,
}


class Consensus(Parameters):
    """A round: commit, reveal, and the result by the rule of the scenario's ``validators``.

    Args:
        seats: how many validators there are at most, the top by stake.
        least_stake_machina: what each must have bonded.
        commit_s, reveal_s: how long a round's two parts are; the next one follows at once.
        quorum: how many must take part, or the round fails and its answers wait for the next.
        reduced_quorum: how many suffice after ``reduced_after`` failures in a row; the round's
            receipt is then flagged reduced.
        failover_s: how much longer a round is whose leader (they take turns) is not there.
    """

    seats: PositiveCount = Field(default=64, le=1000)
    least_stake_machina: Machina = Decimal(100)
    commit_s: Positive = Field(default=45.0, ge=0.1, le=1e6)
    reveal_s: Positive = Field(default=45.0, ge=0.1, le=1e6)
    quorum: PositiveCount = Field(default=43, le=1000)
    reduced_quorum: PositiveCount = Field(default=33, le=1000)
    reduced_after: PositiveCount = Field(default=3, le=1000)
    failover_s: NonNegative = Field(default=90.0, le=1e6)


class Discipline(Parameters):
    """What a validator answers for.

    Args:
        strike_off: how far its score of a model may be from the round's result; beyond, it forfeits
            the round's reward and takes a strike.
        strikes: so many within ``strikes_within_d`` days eject it.
        audit_percent: the chance that what it did in a round is audited.
        slash_percent: what a fabrication costs of the stake; its author is banned.
        absence_d: whoever misses all rounds of so many days, or more than ``absence_percent`` of
            them, is removed.
        unbonding_d: how long after it has left a validator gets its stake back.
    """

    strike_off: Share = 0.15
    strikes: PositiveCount = Field(default=5, le=1_000_000)
    strikes_within_d: Days = 30.0
    audit_percent: Percent = 1.0
    slash_percent: Percent = 20.0
    absence_d: Days = 7.0
    absence_percent: Percent = 50.0
    unbonding_d: Days = 21.0
