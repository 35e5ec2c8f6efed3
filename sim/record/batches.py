"""The batches of a run as a frame: what each settles, its modelled gas, where it landed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl

from sim.rails import load_of
from sim.record.columns import Calls
from sim.record.history import Columns
from sim.scenario.phases import phases
from sim.scenario.schema import Scenario
from sim.units import WEI_PER_GWEI, Int64Array


@dataclass(frozen=True, slots=True)
class Landed:
    """Where a batch landed: one transaction, or several if it was too large for one."""

    transactions: tuple[str, ...]
    roots: tuple[str, ...]
    block: int
    gas_used: int


INTEGERS = (
    "batch", "closed_us", "first_settled_id", "calls", "agents", "models", "charge_micros",
    "fee_micros", "gas_modelled", "block", "gas_used",
)  # fmt: skip
SCHEMA = dict.fromkeys(INTEGERS, pl.Int64()) | dict.fromkeys(
    ("transactions", "roots"), pl.List(pl.String)
)


def batches_frame(
    columns: Columns, scenario: Scenario, first_settled_id: int, landed: Mapping[int, Landed]
) -> pl.DataFrame:
    """A row per batch; the chain's columns are null where it has not landed.

    Args:
        landed: by the batch's number.
    """
    order = np.argsort(columns.settled, kind="stable")
    order = order[len(order) - int((columns.settled >= 0).sum()) :]
    rows = []
    for batch in columns.closed:
        of_batch = order[batch.start : batch.stop]
        row: dict[str, object] = {"batch": batch.number, "closed_us": batch.closed_us}
        row["first_settled_id"] = first_settled_id + batch.start
        row |= _contents(columns.calls, of_batch, scenario)
        rows.append(row | _landing(landed.get(batch.number)))
    return pl.DataFrame(rows, schema=SCHEMA)


def _contents(calls: Calls, rows: Int64Array, scenario: Scenario) -> dict[str, int]:
    load = load_of(calls.agent[rows], calls.model[rows], calls.charge_micros[rows])
    return {
        "calls": load.calls,
        "agents": load.agents,
        "models": load.models,
        "charge_micros": int(calls.charge_micros[rows].sum()),
        "fee_micros": int(calls.fee_micros[rows].sum()),
        "gas_modelled": scenario.rail.gas(load, events=scenario.chain.call_events),
    }


def _landing(landed: Landed | None) -> dict[str, object]:
    return {} if landed is None else asdict(landed)


def modelled_gas(batches: pl.DataFrame, scenario: Scenario) -> list[tuple[int, int]]:
    """The gas the router's account pays: (time, wei) per batch, at the gas price of its close."""
    every = phases(scenario)
    prices = [round(each.scenario.chain.gas_price_gwei * WEI_PER_GWEI) for each in every]
    number = every.of(batches["closed_us"].to_numpy()).tolist()
    return [
        (closed_us, gas * prices[phase])
        for phase, (closed_us, gas) in zip(
            number, batches.select("closed_us", "gas_modelled").iter_rows(), strict=True
        )
    ]
