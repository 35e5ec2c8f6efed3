"""The parts of the metric dictionary: their base, and those of a protocol."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo


class Part(BaseModel):
    """Base of the parts of a summary; a field's description is ``unit: formula``."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def means(unit: str, formula: str) -> FieldInfo:
    """A field's description, from its unit and its formula."""
    info: FieldInfo = Field(description=f"{unit}: {formula}")
    return info


class ProtocolFigures(Part):
    """What the protocol did by its clock; all zero where there is none."""

    epochs: Annotated[int, means("epochs", "ended")]
    rounds: Annotated[int, means("rounds", "of consensus, held on at least one answer")]
    rounds_failed: Annotated[int, means("rounds", "of these, without a quorum")]
    rounds_reduced: Annotated[int, means("rounds", "of these, by the reduced quorum")]
    spot_checks: Annotated[int, means("checks", "made")]
    revocations: Annotated[int, means("revocations", "of a model's routing for an intent")]
    multiplier_max: Annotated[
        float, means("times", "highest demand multiplier at any time; 1 without pricing")
    ]
    emitted_machina: Annotated[float, means("MACHINA", "minted at the ends of epochs")]
    slashed_machina: Annotated[float, means("MACHINA", "taken from stakes for fabrication")]
    spent_micros: Annotated[int, means("micros", "of models' earnings that bought MACHINA")]
    bought_machina: Annotated[float, means("MACHINA", "bought with them")]
    registrations: Annotated[int, means("registrations", "of models, made in the run")]
    registry_gas: Annotated[
        int, means("gas", "that they take at the port, and giving one up; not part of welfare")
    ]
    registry_gas_micros: Annotated[
        int, means("micros", "registry gas x gas price x ETH price of its time, rounded up")
    ]


class JobFigures(Part):
    """Calls that were on-chain jobs; all zero where there are none."""

    created: Annotated[int, means("jobs", "funded: calls made that are jobs")]
    terminal: Annotated[int, means("jobs", "of these, answered, judged and paid")]
    cancelled: Annotated[int, means("jobs", "of these, ended without a charge")]
    gross_micros: Annotated[int, means("micros", "agents paid for terminal jobs; part of spend")]
    fee_micros: Annotated[int, means("micros", "of that, the treasury's")]
    price_micros_mean: Annotated[int | None, means("micros", "gross / terminal, nearest")]
    wait_us_mean: Annotated[
        int | None, means("us", "mean time from funded to terminal, the verdict's round in it")
    ]
    bought_machina: Annotated[float, means("MACHINA", "that models got for terminal jobs")]
    gas: Annotated[
        int, means("gas", "modelled, of createJob and transitionToTerminal of terminal jobs")
    ]
    gas_micros: Annotated[
        int, means("micros", "the same at the prices of gas and ETH at each end, rounded up once")
    ]


class JudgeFigures(Part):
    """One group of validators."""

    seated: Annotated[int, means("validators", "with a seat at the end")]
    ejected: Annotated[int, means("validators", "ejected for strikes")]
    banned: Annotated[int, means("validators", "banned for fabrication")]
    removed: Annotated[int, means("validators", "removed for absence")]
    strikes: Annotated[int, means("strikes", "taken")]
    rounds: Annotated[
        int, means("rounds", "taken part in, with a quorum or not, summed over its validators")
    ]
    reward_machina: Annotated[float, means("MACHINA", "earned in all")]
    slashed_machina: Annotated[float, means("MACHINA", "of stakes lost")]
    net_machina_mean: Annotated[
        float,
        means("MACHINA", "(reward - slashed - work x rounds) per validator; who copies does none"),
    ]


class ReportedFigures(Part):
    """A share of tokens that was reported of a real market, beside the run's own."""

    reported: Annotated[float, means("share", "of tokens, as the scenario says it was reported")]
    share_tokens: Annotated[
        float | None, means("share", "the same of the run: answered calls posted in those hours")
    ]
    error: Annotated[float | None, means("share", "the run's share - the reported one")]
    fitted: Annotated[bool, means("flag", "the scenario's parameters were chosen in view of it")]
