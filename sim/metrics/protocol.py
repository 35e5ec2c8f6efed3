"""Figures of the protocol and of its validators, from the record's tables by epoch."""

import polars as pl

from sim.metrics.parts import JudgeFigures, ProtocolFigures
from sim.metrics.registry import registry_figures
from sim.protocols.money import WEI_PER_MACHINA
from sim.record.frames import Frames

DECIMALS = 6
PLAIN_TENTHS = 10


def machina(wei: object) -> float:
    """Wei as MACHINA, to the nearest millionth; 0 for None."""
    return round(int(str(wei or 0)) / WEI_PER_MACHINA, DECIMALS)


def protocol_figures(frames: Frames) -> ProtocolFigures:
    """The protocol's part of the figures."""
    epochs = frames.protocol.epochs
    each = epochs.unique("epoch")
    moves = frames.transfers.filter(pl.col("call_id").is_null())
    kind, asset = pl.col("kind").cast(pl.String), pl.col("asset").cast(pl.String)
    late = pl.col("time_us") > 0
    swapped, own = moves.filter(kind == "swap"), moves.filter(asset == "MACHINA")
    highest = epochs["multiplier_tenths_max"].to_list()
    registrations, gas, gas_micros = registry_figures(frames)
    return ProtocolFigures(
        epochs=max(0, len(each) - 1),
        rounds=int(each["rounds"].sum()),
        rounds_failed=int(each["rounds_failed"].sum()),
        rounds_reduced=int(each["rounds_reduced"].sum()),
        spot_checks=int(epochs["spot_checks"].sum()),
        revocations=int(epochs["revoked_us"].is_not_null().sum()),
        multiplier_max=max(highest, default=PLAIN_TENTHS) / PLAIN_TENTHS,
        emitted_machina=machina(own.filter(late & (kind == "mint"))["amount"].sum()),
        slashed_machina=machina(own.filter(kind == "slash")["amount"].sum()),
        spent_micros=int(swapped.filter(asset == "USDC")["amount"].sum() or 0),
        bought_machina=machina(swapped.filter(asset == "MACHINA")["amount"].sum()),
        registrations=registrations,
        registry_gas=gas,
        registry_gas_micros=gas_micros,
    )


def judge_figures(frames: Frames) -> dict[str, JudgeFigures]:
    """Figures of every group of validators."""
    protocol, table = frames.scenario.protocol, frames.protocol.validators
    if protocol is None:
        return {}
    table = table.with_columns(pl.col("validator").str.split("/").list.first().alias("group"))
    sums = {
        str(row["group"]): row
        for row in table.group_by("group")
        .agg(pl.col("strikes", "attended", "reward_wei", "slashed_wei", "work_wei").sum())
        .iter_rows(named=True)
    }
    last = table.filter(pl.col("epoch") == pl.col("epoch").max())
    found: dict[str, JudgeFigures] = {}
    for group_id, group in protocol.validators.items():
        row, seats = sums[group_id], last.filter(pl.col("group") == group_id)["seat"].to_list()
        reward, slashed, work = (
            machina(row[f"{what}_wei"]) for what in ("reward", "slashed", "work")
        )
        found[group_id] = JudgeFigures(
            seated=seats.count("seated"),
            ejected=seats.count("ejected"),
            banned=seats.count("banned"),
            removed=seats.count("removed"),
            strikes=int(row["strikes"]),
            rounds=int(row["attended"]),
            reward_machina=reward,
            slashed_machina=slashed,
            net_machina_mean=round((reward - slashed - work) / group.count, DECIMALS),
        )
    return found
