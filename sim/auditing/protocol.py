"""Between a protocol's record and the chain: its acts, derived from the record alone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sim.chain.acts import Acts, Bought, Enrolled
from sim.chain.deployment import NAME, load_deployment
from sim.chain.merkle import keccak, root
from sim.chain.settlement import Audit
from sim.facts import Kind
from sim.intents import INTENTS
from sim.mechanisms import PerCall
from sim.protocols import Emission
from sim.protocols.money import WEI_PER_MACHINA
from sim.record.archive import Saved
from sim.record.moves import Move
from sim.record.protocol import protocol_accounts
from sim.scenario import Scenario
from sim.scenario.phases import phases
from sim.units import US_PER_S, micros_from_usd_exact, us_from_hours_nearest
from sim.world import World

if TYPE_CHECKING:
    from sim.chain.rpc import Rpc

LEDGER_RAILS = ("batch", "prepaid")
PORT_LEAST_FLOOR_MICROS = 10_000
"""`LEAST_PRICE` of the port's MinerRegistry."""
POOL_FEE_PPM = 3_000
Rows = Iterable[Mapping[str, object]]
LEAF = ("epoch", "intent", "model", "standing", "rank", "score_ppm", "judged", "multiplier_tenths")


def can_perform(scenario: Scenario) -> bool:
    """Whether a protocol's acts can be transactions: it buys MACHINA, by the contract's schedule.

    The contract's halving, cap and parts are fixed, as are the length of its epochs, the fee of the
    pool that is deployed and the least floor that the port takes, whatever events say; and models
    must be paid in a CallLedger.
    """
    protocol = scenario.protocol
    if protocol is None or protocol.purchases is None or scenario.rail.kind not in LEDGER_RAILS:
        return False
    schedule = Emission(epochs_before=protocol.emission.epochs_before), protocol.epoch_h
    ruling = [phase.scenario.protocol for phase in phases(scenario)]
    return (
        all(each and (each.emission, each.epoch_h) == schedule for each in ruling)
        and protocol.purchases.pool_fee_ppm == POOL_FEE_PPM
        and _least_floor_micros(scenario) >= PORT_LEAST_FLOOR_MICROS
    )


def acts_of_world(world: World) -> Acts | None:
    """The acts of a run that is whole; None where there is no protocol, or the chain cannot."""
    course, history = world.course, world.history
    if course is None or history.interrupted or not can_perform(world.scenario):
        return None
    return acts_of(world.scenario, course.chronicle.epochs, course.books.moves)


def acts_of(scenario: Scenario, epochs: Rows, moves: Iterable[Move]) -> Acts:
    """What the chain is to show of a protocol.

    Args:
        epochs: the record's rows by epoch, the last of which was cut short. moves: its transfers.
    """
    protocol = scenario.protocol
    assert protocol is not None
    assert protocol.purchases is not None
    names, held = list(scenario.models), _Held(moves)
    accounts = protocol_accounts(protocol, scenario.intents)
    return Acts(
        miners=tuple(_enrolled(scenario, name) for name in names),
        epochs_before=protocol.emission.epochs_before,
        epoch_s=us_from_hours_nearest(protocol.epoch_h) // US_PER_S,
        pool_micros=micros_from_usd_exact(protocol.purchases.pool_usd),
        pool_wei=int(protocol.purchases.pool_machina * WEI_PER_MACHINA),
        roots=_roots(epochs),
        bought=tuple(Bought(names.index(name), *pair) for name, pair in held.bought),
        pool_left=(held.of["USDC", "pool"], held.of["MACHINA", "pool"]),
        given=tuple(held.of["MACHINA", each] for each in accounts if ":" in each),
        treasury_wei=held.of["MACHINA", "treasury"],
        bonds_wei=held.of["MACHINA", "bonds"],
    )


class _Held:
    """Balances by asset and account, and purchases by the model's name, as transfers make them."""

    def __init__(self, moves: Iterable[Move]) -> None:
        self.of: dict[tuple[str, str], int] = defaultdict(int)
        self.bought: list[tuple[str, tuple[int, int]]] = []
        for _, kind, asset, source, target, amount in moves:
            self.of[asset, source] -= amount
            self.of[asset, target] += amount
            if kind == Kind.SWAP and asset == "USDC":
                self.bought.append((source.removeprefix("model:"), (amount, 0)))
            elif kind == Kind.SWAP:
                name, (micros, _) = self.bought[-1]
                self.bought[-1] = name, (micros, amount)


def _least_floor_micros(scenario: Scenario) -> int:
    """The least floor by the scenario's rules; the port's, where no floor makes a price."""
    pricing = scenario.protocol.pricing if scenario.protocol else None
    if pricing is None:
        return PORT_LEAST_FLOOR_MICROS
    return micros_from_usd_exact(pricing.least_floor_usd)


def _enrolled(scenario: Scenario, name: str) -> Enrolled:
    model = scenario.models[name]
    floor = _least_floor_micros(scenario)
    if isinstance(model.price, PerCall):
        floor = max(floor, micros_from_usd_exact(model.price.usd_per_call))
    return Enrolled(name, floor, tuple(intent for intent in model.quality if intent in INTENTS))


def _roots(epochs: Rows) -> tuple[bytes, ...]:
    """A root over the rows of each epoch that has ended; a leaf is hashed twice."""
    leaves: dict[int, list[bytes]] = defaultdict(list)
    for row in epochs:
        text = "|".join(str(row[name]) for name in LEAF)
        leaves[int(str(row["epoch"]))].append(keccak(keccak(text.encode())))
    ended = sorted(leaves)[:-1]
    return tuple(root(leaves[number]) for number in ended)


def recorded_acts(saved: Saved) -> Acts:
    """The acts that a saved record asks of the chain."""
    frames = saved.frames
    own = frames.transfers.filter(frames.transfers["call_id"].is_null())
    own = own.filter(own["asset"].cast(str) != "ETH")
    moves = (
        Move(row[0], Kind[row[1].upper()], row[2], row[3], row[4], int(row[5]))
        for row in own.select("time_us", "kind", "asset", "source", "target", "amount").iter_rows()
    )
    return acts_of(frames.scenario, frames.protocol.epochs.iter_rows(named=True), moves)


def with_protocol(audit: Audit, rpc: "Rpc", saved: Saved) -> Audit:
    """The audit, and what of a protocol's acts is not on the chain as the record has it.

    Where the contracts are not, the chain could not show them (`can_perform`), and was not asked.
    """
    from sim.chain.audits.telegraph import protocol_faults

    deployment = load_deployment(saved.directory / NAME)
    if not deployment.machina:
        return audit
    faults = protocol_faults(rpc, deployment, recorded_acts(saved))
    return replace(audit, parity=audit.parity and not faults, faults=(*audit.faults, *faults))
