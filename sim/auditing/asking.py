"""What a scenario asks of the chain."""

from dataclasses import dataclass
from pathlib import Path

from sim.auditing.protocol import can_perform
from sim.chain import Agent, ChainSetup
from sim.chain.settlement import OWN_ANVIL, Resumed
from sim.facts import ToolError
from sim.ledger import bonds
from sim.rails import timelock_s
from sim.scenario import Scenario
from sim.scenario.chain_checks import check_settleable
from sim.scenario.phases import phases
from sim.units import micros_from_usd_exact, us_from_seconds_nearest

NO_CHAIN = "none"
ANY_MICROS = 2**61  # above any money, and below the 80 bits of a mandate


@dataclass(frozen=True)
class Place:
    """Where a run settles: ``chain`` is anvil, none or a URL; the others as in `ChainSetup`."""

    chain: str
    deployment: Path | None = None
    warp: bool = False
    allow_remote: bool = False
    resumed: Resumed | None = None

    def __post_init__(self) -> None:
        """Raises `ToolError` for what only a node that runs already can be asked."""
        if self.chain not in (OWN_ANVIL, NO_CHAIN):
            return
        if self.deployment is not None:
            raise ToolError("a deployment is on a chain that runs: name its URL as the chain")
        if self.warp:
            raise ToolError("only the clock of a node that runs is warped: name its URL as chain")


def chain_setup(scenario: Scenario, place: Place, directory: Path) -> ChainSetup:
    """What a scenario asks of the chain: its agents funded, its models registered.

    Raises `ScenarioError` for what no contract settles (`check_settleable`).
    """
    check_settleable(scenario)
    every = phases(scenario)
    most = {name: micros_from_usd_exact(every.highest_price_usd(name)) for name in scenario.groups}
    posted = tuple(bonds(scenario).tolist())
    # What a slash brings in may be spent, too: then the balance alone is the bound.
    cap = ANY_MICROS if posted else None
    agents = tuple(
        Agent(f"{group_id}/{index}", micros_from_usd_exact(group.budget_usd), most[group_id], cap)
        for group_id, group in scenario.groups.items()
        for index in range(group.count)
    )
    return ChainSetup(
        agents=agents,
        models=tuple(scenario.models),
        fee_bps=scenario.rail.fee_bps,
        directory=directory,
        backend=place.chain,
        deployment=place.deployment,
        warp=place.warp,
        allow_remote=place.allow_remote,
        block_time_us=us_from_seconds_nearest(scenario.chain.block_time_s),
        emit_events=scenario.chain.call_events,
        rail=scenario.rail,
        resumed=place.resumed,
        bonds_micros=posted,
        performs=can_perform(scenario),
        has_jobs=scenario.protocol is not None and scenario.protocol.jobs is not None,
        withdraws=any(group.withdrawal is not None for group in scenario.groups.values()),
        timelock_s=timelock_s(scenario.rail),
    )
