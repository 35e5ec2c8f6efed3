"""The batches of a run as a frame: what each settles, its modelled gas, where it landed."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl

from sim.rails import loads_of
from sim.record.history import Columns
from sim.scenario.phases import phases
from sim.scenario.schema import Scenario
from sim.units import WEI_PER_GWEI


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
    rows = [
        {"batch": batch.number, "closed_us": batch.closed_us,
         "first_settled_id": first_settled_id + batch.start, **held,
         **_landing(landed.get(batch.number))}
        for batch, held in zip(columns.closed, _contents(columns, scenario), strict=True)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=SCHEMA)


def _contents(columns: Columns, scenario: Scenario) -> Iterator[dict[str, int]]:
    """What each batch settles, and the gas that it takes by the rail's model."""
    closed, settled = columns.closed, columns.settled
    starts = [batch.start for batch in closed]
    sizes = [batch.stop - batch.start for batch in closed]
    order = np.argsort(settled, kind="stable")[int((settled < 0).sum()) :][: sum(sizes)]
    calls, batch = columns.calls, np.repeat(np.arange(len(closed)), sizes)
    loads = loads_of(batch, calls.agent[order], calls.model[order], calls.charge_micros[order])
    charges, fees = (
        np.add.reduceat(micros[order], starts).tolist() if closed else []
        for micros in (calls.charge_micros, calls.fee_micros)
    )
    for load, charge_micros, fee_micros in zip(loads, charges, fees, strict=True):
        yield {
            "calls": load.calls,
            "agents": load.agents,
            "models": load.models,
            "charge_micros": charge_micros,
            "fee_micros": fee_micros,
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
