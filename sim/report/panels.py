"""All panels of one run, from a single pass of queries over its tables."""

from dataclasses import dataclass

import polars as pl

from sim.report import (
    bids,
    flows,
    frontier,
    latency,
    networks,
    prices,
    queues,
    settlement,
    shares,
    steps,
)
from sim.report.changes import marked
from sim.report.epochs import tables_picture
from sim.report.flows import Flows
from sim.report.frontier import Frontier
from sim.report.jobs import jobs_section
from sim.report.latency import Latency
from sim.report.markup import Html, join, tag
from sim.report.networks import Dealings
from sim.report.palette import Palette
from sim.report.picture import Picture
from sim.report.proofs import Settled, sampled
from sim.report.queues import Load
from sim.report.reading import Record
from sim.report.settlement import Delay, Gas
from sim.report.timeline import Grid, bins_for, grid_of, grid_query


@dataclass(frozen=True)
class Panels:
    """What the pictures of one run show."""

    record: Record
    grid: Grid
    frontiers: list[Frontier]
    load: Load
    latencies: list[Latency]
    flows: Flows
    gas: Gas
    delay: Delay
    settled: list[Settled]
    dealings: Dealings
    steps: pl.DataFrame


@dataclass(frozen=True)
class Scales:
    """The ranges that pictures of several runs share."""

    reach: frontier.Reach
    calls: float
    latency_s: tuple[float, float]


def panels_of(record: Record) -> Panels:
    """Reads a record's tables, once each."""
    duration_us, models = record.manifest.duration_us, len(record.models)
    bins = bins_for(duration_us, record.figures.calls.made)
    tables = pl.collect_all(
        [
            grid_query(record.calls, bins),
            frontier.frontier_query(record.calls),
            latency.latency_query(record.calls),
            settlement.delay_query(record.calls, record.batches),
            flows.flows_query(record.transfers),
            networks.dealings_query(record.calls),
            steps.steps_query(record.calls),
            *queues.load_queries(record.calls, bins),
        ]
    )
    grid, by_intent, quantiles, delays, moved, dealt, stepped, *instants = tables
    return Panels(
        record=record,
        grid=grid_of(grid, models, bins),
        frontiers=frontier.frontiers(by_intent, record.models),
        load=queues.load_of(instants, models, bins, duration_us),
        latencies=latency.latencies(quantiles),
        flows=flows.flows_of(moved, record.figures.rail.gas_micros),
        gas=settlement.gas_over_time(record.batches, duration_us),
        delay=settlement.delay_of(delays),
        settled=sampled(record),
        dealings=networks.dealings_of(dealt),
        steps=stepped,
    )


def scales_of(every: list[Panels]) -> Scales:
    """The ranges that hold all runs."""
    ranges = [latency.reach_of(each.latencies) for each in every]
    return Scales(
        reach=frontier.reach_of([f for each in every for f in each.frontiers[: frontier.PANELS]]),
        calls=max(queues.top_of(each.load) for each in every),
        latency_s=(min(low for low, _ in ranges), max(high for _, high in ranges)),
    )


def shares_section(panels: Panels, palette: Palette) -> list[Picture]:
    """Shares by model, and by origin where there is more than one."""
    record, grid = panels.record, panels.grid
    pictures = [
        shares.shares_picture(record, grid, shares.model_bands(record, grid, palette), "model")
    ]
    if len(palette.origins) > 1:
        bands = shares.origin_bands(record, grid, palette)
        pictures.append(shares.shares_picture(record, grid, bands, "origin"))
    return [marked(each, record, grid.bins) for each in pictures]


def frontier_section(panels: Panels, palette: Palette, scales: Scales) -> list[Picture]:
    """Cost against quality."""
    found = panels.frontiers
    if not found:
        return []
    return [frontier.frontier_picture(panels.record, found, scales.reach, palette)]


def prices_section(panels: Panels, palette: Palette) -> list[Picture]:
    """Prices and scores."""
    grid = prices.fitting(panels.grid)
    return [marked(prices.prices_picture(panels.record, grid, palette), panels.record, grid.bins)]


def tables_section(panels: Panels, palette: Palette) -> list[Picture]:
    """The protocol's tables by epoch, where there is one."""
    epochs = panels.record.epochs
    if epochs is None or epochs.is_empty():
        return []
    return [tables_picture(panels.record, epochs, palette)]


def bids_section(panels: Panels) -> list[Picture]:
    """Bids, asks and charges, where they are not the list price."""
    if panels.record.scenario.mechanism.kind == "posted" or not panels.record.figures.calls.made:
        return []
    return [bids.bids_picture(panels.record)]


def queues_section(panels: Panels, palette: Palette, scales: Scales) -> list[Picture]:
    """Queues, and latency where anything was answered."""
    load = queues.queues_picture(panels.record, panels.load, palette, scales.calls)
    pictures = [marked(load, panels.record, panels.load.bins)]
    if panels.latencies:
        pictures.append(
            latency.latency_picture(panels.record, panels.latencies, palette, scales.latency_s)
        )
    return pictures


def money_section(panels: Panels, palette: Palette) -> list[Picture]:
    """The flow of money, where any flowed."""
    if not panels.flows.spend:
        return []
    return [flows.flows_picture(panels.record, panels.flows, palette)]


def graphs_section(panels: Panels, palette: Palette) -> Html:
    """Who deals with whom, where anybody did."""
    if not panels.dealings.cells:
        return Html()
    picture = networks.networks_picture(panels.record, panels.dealings, palette)
    return join([picture.html(), networks.structure_table(panels.record)])


def settlement_section(panels: Panels) -> Html:
    """Gas, delay, parity, sampled calls, and on-chain jobs."""
    parts = [_settlement_words(panels.record)]
    if panels.delay.counts:
        parts.append(settlement.settlement_picture(panels.record, panels.gas, panels.delay).html())
    if panels.settled:
        parts.append(settlement.calls_table(panels.settled))
    jobs = panels.record.jobs
    if jobs is not None and len(jobs):
        parts.append(jobs_section(panels.record, jobs))
    return join(parts)


def _settlement_words(record: Record) -> Html:
    chain = record.chain
    if chain is None:
        return tag("p", "This run was not settled on a chain; gas and delay are as modelled.")
    kept = {
        True: "Every balance in the contracts equals the ledger’s, account by account.",
        False: "The contracts do NOT agree with the ledger.",
        None: "Parity was not checked.",
    }
    head = tag("code", chain.head or "")
    difference = f"{chain.difference_micros} micro-USDC apart"
    return tag("p", f"{kept[chain.parity]} In all they are {difference}. Head of the chain: ", head)
