"""The settlement's speed: our settler against Anvil given the same bytes, encoded beforehand."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

from benchmarks.measuring import alternating, median
from benchmarks.reports import Figure, Pins, Report
from benchmarks.sizes import Sizes
from sim.auditing import Place, chain_setup
from sim.chain import Settlement, Settler
from sim.chain.local.fixed import put_fixed
from sim.chain.node import Node, mine
from sim.chain.pipeline import in_order
from sim.chain.rpc import Rpc
from sim.chain.rpc import encoded as encoded_requests
from sim.chain.transactions import SavedBlock, TransactionReader
from sim.facts import Batch
from sim.scenario import Scenario
from sim.world import World


@dataclass(frozen=True)
class Settled:
    """A settling that was timed, from the first batch to the last block."""

    calls: int
    transactions: int
    gas: int
    head: str
    seconds: float

    @property
    def calls_per_s(self) -> float:
        """By the wall's clock: several processes work at it."""
        return self.calls / self.seconds


def batches_of(scenario: Scenario) -> list[Batch]:
    """The batches of a run."""
    made: list[Batch] = []
    World(scenario, made.append).run()
    return made


def _settled(settlement: Settlement, seconds: float) -> Settled:
    return Settled(
        settlement.calls, settlement.transactions, settlement.gas_total, settlement.head, seconds
    )


def alone(scenario: Scenario, made: list[Batch], directory: Path) -> tuple[Settled, Settlement]:
    """Batches that are there already, through our settler."""
    with Settler(chain_setup(scenario, Place("anvil"), directory)) as settler:
        settler.wait_ready()
        started = perf_counter()
        for batch in made:
            settler.send(batch)
        settlement = settler.finish()
        return _settled(settlement, perf_counter() - started), settlement


def pipeline(scenario: Scenario, directory: Path) -> Settled:
    """Batches through our settler as the simulation makes them: the slower of the two decides."""
    with Settler(chain_setup(scenario, Place("anvil"), directory)) as settler:
        settler.wait_ready()
        started = perf_counter()
        World(scenario, settler.send).run()
        return _settled(settler.finish(), perf_counter() - started)


def encoded(directory: Path, settlement: Settlement) -> Settled:
    """The same signed transactions on a fresh Anvil, as requests written before the clock runs."""
    reader = TransactionReader(directory)
    saved = list(reader)
    first = settlement.batches[0].block - 1
    bodies = [(_requests(block), block.timestamp) for block in saved[first:]]
    with Node(genesis_unix=reader.genesis.genesis_unix) as node, Rpc(node.url) as rpc:
        if reader.genesis.fixed:
            put_fixed(rpc)
        for block in saved[:first]:
            _post(node.url, _requests(block))
            mine(rpc, block.timestamp)
        started = perf_counter()
        for body, timestamp in bodies:
            _post(node.url, body)
            mine(rpc, timestamp)
        seconds = perf_counter() - started
        head = rpc.block().hash
    sent = sum(len(block.transactions) for block in saved[first:])
    return Settled(settlement.calls, sent, settlement.gas_total, head, seconds)


def _requests(block: SavedBlock) -> list[bytes]:
    return encoded_requests(
        [("eth_sendRawTransaction", ["0x" + raw.hex()]) for raw in block.transactions]
    )


def _post(url: str, bodies: list[bytes]) -> None:
    for answer in in_order(url, bodies):
        assert b'"result"' in answer


@contextmanager
def simulating(scenario: Scenario) -> Iterator[None]:
    """Simulations, one after the other, in a process beside."""
    process = get_context("spawn").Process(target=_simulate_on, args=(scenario,), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _simulate_on(scenario: Scenario) -> None:
    while True:
        World(scenario).run()


def _round(scenario: Scenario, made: list[Batch]) -> tuple[Settled, ...]:
    with tempfile.TemporaryDirectory() as named:
        first, second, third = (Path(named, name) for name in "abc")
        for directory in (first, second, third):
            directory.mkdir()
        ours, settlement = alone(scenario, made, first)
        theirs = encoded(first, settlement)
        with simulating(scenario):
            beside, _ = alone(scenario, made, second)
        return ours, theirs, beside, pipeline(scenario, third)


def settlement(sizes: Sizes, pins: Pins) -> Report:
    """Calls settled per second by our settler over those of Anvil alone."""
    scenario, report = sizes.scenario(sizes.settled), Report()
    made = batches_of(scenario)
    calls = sum(len(batch) for batch in made)
    pins.check(report, sizes.settled, calls)
    (rounds,) = alternating(sizes.chain_rounds, partial(_round, scenario, made))
    head = rounds[0][0].head
    for found in (one for each in rounds for one in each):
        report.exactly("calls on the chain", found.calls, calls)
        report.exactly("transactions", found.transactions, len(made))
        report.exactly("head", found.head, head)
    ours, theirs, beside, both = (
        median([each[part].calls_per_s for each in rounds]) for part in range(4)
    )
    report.add(
        Figure("settler over Anvil alone", ours / theirs, "times", target=0.5),
        Figure("settler beside a simulation over Anvil alone", beside / theirs, "times", 0.5),
        Figure("settler", ours, "calls/s"),
        Figure("settler beside a simulation", beside, "calls/s"),
        Figure("simulation and settler, one feeding the other", both, "calls/s"),
        Figure("Anvil alone", theirs, "calls/s"),
        Figure("calls per batch", calls / len(made)),
        Figure("gas per call", rounds[0][0].gas / calls, "gas"),
    )
    return report
