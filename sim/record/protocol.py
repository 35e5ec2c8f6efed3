"""The protocol's part of the record as frames: tables by epoch, validators, who rated whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from sim.protocols import Protocol
from sim.units import Int64Array

INT, TEXT, WEI = pl.Int64(), pl.String(), pl.Decimal(38, 0)
EPOCHS = {
    "epoch": INT, "ended_us": INT, "intent": TEXT, "model": TEXT, "standing": TEXT, "rank": INT,
    "score_ppm": INT, "judged": INT, "spot_checks": INT, "revoked_us": INT, "volume": INT,
    "multiplier_tenths": INT, "multiplier_tenths_max": INT, "rounds": INT, "rounds_failed": INT,
    "rounds_reduced": INT,
}  # fmt: skip
VALIDATORS = {
    "epoch": INT, "validator": TEXT, "seat": TEXT, "left_us": INT, "stake_wei": WEI, "rounds": INT,
    "attended": INT, "rewarded": INT, "strikes": INT, "slashed_wei": WEI, "reward_wei": WEI,
    "work_wei": WEI,
}  # fmt: skip
REGISTRATIONS = {
    "registration": INT, "model": TEXT, "floor_micros": INT, "registered_us": INT, "left_us": INT,
}  # fmt: skip
RATINGS = {"validator": TEXT, "model": TEXT, "rounds": INT, "score_ppm": INT}
Rows = Sequence[Mapping[str, object]]


def _empty(schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame(schema=schema)


@dataclass(frozen=True, eq=False)
class ProtocolFrames:
    """What a protocol leaves behind; all empty where there is none.

    Args:
        epochs: a row per epoch, intent and model: how the table stands once it is settled; the last
            epoch may be one that the run's end cut short. ``revoked_us`` is null if it was not;
            ``multiplier_tenths_max`` is the highest demand multiplier that there was in the epoch.
        validators: a row per epoch and validator: rounds held while it had a seat, with a quorum or
            not; those that it took part in; those that earn a reward, strikes, what was slashed of
            its stake, its reward, and what running the script has cost it.
        ratings: a row per validator and model that it judged: in how many rounds, and the mean of
            the scores that it gave.
        registrations: a row per registration of a model, in order: the floor that it names, since
            when it stands (null: since before the run) and when it ended (null: it has not).
    """

    epochs: pl.DataFrame = field(default_factory=lambda: _empty(EPOCHS))
    validators: pl.DataFrame = field(default_factory=lambda: _empty(VALIDATORS))
    ratings: pl.DataFrame = field(default_factory=lambda: _empty(RATINGS))
    registrations: pl.DataFrame = field(default_factory=lambda: _empty(REGISTRATIONS))

    def __eq__(self, other: object) -> bool:
        """Whether all tables are equal, to the last value and type."""
        if not isinstance(other, ProtocolFrames):
            return False
        pairs = [(getattr(self, each.name), getattr(other, each.name)) for each in fields(self)]
        return all(one.schema == two.schema and one.equals(two) for one, two in pairs)

    def __hash__(self) -> int:
        return hash(tuple(each.name for each in fields(self)))

    def write(self, directory: Path) -> None:
        """Writes a file for each table."""
        for each in fields(self):
            table: pl.DataFrame = getattr(self, each.name)
            table.write_parquet(directory / f"{each.name}.parquet", compression="zstd")

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Reads what `write` wrote; raises Polars' error where a column is missing."""
        names, empty = [each.name for each in fields(cls)], cls()
        columns = {name: getattr(empty, name).columns for name in names}
        return cls(
            *(
                pl.read_parquet(directory / f"{name}.parquet", columns=columns[name])
                for name in names
            )
        )


def protocol_frames(
    epochs: Rows, validators: Rows, ratings: Int64Array, judges: Sequence[str],
    models: Sequence[str], registrations: Rows,
) -> ProtocolFrames:  # fmt: skip
    """Frames of a protocol's rows.

    Args:
        ratings: (2, models, judges) rounds, and sums of scores in ppm.
    """
    counts, sums = ratings[0].T, ratings[1].T
    rated = [
        {
            "validator": judges[judge],
            "model": models[model],
            "rounds": int(counts[judge, model]),
            "score_ppm": int(sums[judge, model] // counts[judge, model]),
        }
        for judge, model in np.argwhere(counts).tolist()
    ]
    return ProtocolFrames(
        pl.DataFrame(epochs, schema=EPOCHS),
        pl.DataFrame(validators, schema=VALIDATORS),
        pl.DataFrame(rated, schema=RATINGS),
        pl.DataFrame(registrations, schema=REGISTRATIONS),
    )


def protocol_accounts(protocol: Protocol | None, intents: Sequence[str]) -> list[str]:
    """The accounts that only a protocol has."""
    if protocol is None:
        return []
    groups = protocol.validators.items()
    judges = [f"validator:{g}/{at}" for g, group in groups for at in range(group.count)]
    return ["bonds", "pool", *judges, *(f"author:{intent}" for intent in intents)]
