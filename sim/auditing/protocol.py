"""Between a protocol's record and the chain: its acts, derived from the record alone."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sim.auditing.jobs import NO_JOBS, PaidJobs, are_on_chain, jobs_of_world, recorded_jobs
from sim.chain.acts import Acts, Bought, Enrolled, Epoch, Registered
from sim.chain.deployment import NAME, load_deployment
from sim.chain.merkle import keccak, root
from sim.chain.settlement import Audit
from sim.facts import Kind
from sim.intents import INTENTS
from sim.protocols.money import WEI_PER_MACHINA
from sim.record.archive import Saved
from sim.record.moves import Move
from sim.record.protocol import protocol_accounts
from sim.scenario import Scenario
from sim.scenario.chain_checks import unperformable
from sim.units import US_PER_S, micros_from_usd_exact, us_from_hours_nearest
from sim.world import World

if TYPE_CHECKING:
    from sim.chain.rpc import Rpc

Rows = Iterable[Mapping[str, object]]
STOOD = ("registered_us", "left_us")
LEAF = ("epoch", "intent", "model", "standing", "rank", "score_ppm", "judged", "multiplier_tenths")


def can_perform(scenario: Scenario) -> bool:
    """Whether a protocol's acts can be transactions (`unperformable` says why not)."""
    return next(unperformable(scenario), None) is None


def acts_of_world(world: World) -> Acts | None:
    """The acts of a run that is whole; None where there is no protocol, or the chain cannot."""
    course, history = world.course, world.history
    if course is None or history.interrupted or not can_perform(world.scenario):
        return None
    rows = course.chronicle.epochs, course.registry.rows
    return acts_of(world.scenario, *rows, course.books.moves, jobs_of_world(world))


def acts_of(
    scenario: Scenario, epochs: Rows, registrations: Rows, moves: Iterable[Move],
    paid: PaidJobs = NO_JOBS,
) -> Acts:  # fmt: skip
    """What the chain is to show of a protocol.

    Args:
        epochs: the record's rows by epoch, the last of which was cut short.
        registrations: its rows by registration. moves: its transfers. paid: its jobs.
    """
    protocol = scenario.protocol
    assert protocol is not None
    assert protocol.purchases is not None
    names, held = list(scenario.models), _Held(moves)
    accounts = protocol_accounts(protocol, scenario.intents)
    miners = tuple(_enrolled(scenario, name) for name in names)
    return Acts(
        miners=miners,
        registrations=tuple(_registered(miners, registrations)),
        epochs_before=protocol.emission.epochs_before,
        epoch_s=us_from_hours_nearest(protocol.epoch_h) // US_PER_S,
        pool_micros=micros_from_usd_exact(protocol.purchases.pool_usd),
        pool_wei=int(protocol.purchases.pool_machina * WEI_PER_MACHINA),
        epochs=_ended(epochs),
        bought=tuple(
            Bought(names.index(name), *pair, paid.by_swap.get(at))
            for at, (name, pair) in enumerate(held.bought)
        ),
        pool_left=(held.of["USDC", "pool"], held.of["MACHINA", "pool"]),
        given=tuple(held.of["MACHINA", each] for each in accounts if ":" in each),
        treasury_wei=held.of["MACHINA", "treasury"],
        bonds_wei=held.of["MACHINA", "bonds"],
        jobs=paid.jobs,
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


def _enrolled(scenario: Scenario, name: str) -> Enrolled:
    own = scenario.models[name].quality
    return Enrolled(name, tuple(intent for intent in own if intent in INTENTS))


def _registered(miners: Sequence[Enrolled], rows: Rows) -> Iterator[Registered]:
    """Registrations of those that have an intent by which the port knows them."""
    able = {miner.model: at for at, miner in enumerate(miners) if miner.intents}
    for row in rows:
        name = str(row["model"])
        if name in able:
            times = (None if row[time] is None else int(str(row[time])) for time in STOOD)
            yield Registered(able[name], int(str(row["floor_micros"])), *times)


def _ended(epochs: Rows) -> tuple[Epoch, ...]:
    """Each epoch that has ended, with a root over its rows; a leaf is hashed twice."""
    leaves: dict[int, list[bytes]] = defaultdict(list)
    times_us: dict[int, int] = {}
    for row in epochs:
        text, number = "|".join(str(row[name]) for name in LEAF), int(str(row["epoch"]))
        leaves[number].append(keccak(keccak(text.encode())))
        times_us[number] = int(str(row["ended_us"]))
    ended = sorted(leaves)[:-1]
    return tuple(Epoch(times_us[number], root(leaves[number])) for number in ended)


def recorded_acts(saved: Saved) -> Acts:
    """The acts that a saved record asks of the chain."""
    frames = saved.frames
    own = frames.transfers.filter(frames.transfers["call_id"].is_null())
    own = own.filter(own["asset"].cast(str) != "ETH")
    moves = (
        Move(row[0], Kind[row[1].upper()], row[2], row[3], row[4], int(row[5]))
        for row in own.select("time_us", "kind", "asset", "source", "target", "amount").iter_rows()
    )
    epochs, registrations = frames.protocol.epochs, frames.protocol.registrations
    rows = epochs.iter_rows(named=True), registrations.iter_rows(named=True)
    return acts_of(frames.scenario, *rows, moves, recorded_jobs(frames))


def with_protocol(audit: Audit, rpc: "Rpc", saved: Saved) -> Audit:
    """The audit, and what of a protocol's acts is not on the chain as the record has it.

    Where the contracts are not, the chain could not show them (`can_perform`), and was not asked;
    but for jobs, of which a run that is whole has them all there.
    """
    from sim.chain.audits.telegraph import protocol_faults

    deployment, place = load_deployment(saved.directory / NAME), saved.manifest.chain
    assert place is not None
    if deployment.machina:
        faults = protocol_faults(rpc, deployment, recorded_acts(saved), place.last_block)
    elif are_on_chain(saved):
        faults = [f"{len(saved.frames.jobs)} on-chain jobs in the record, and no port on the chain"]
    else:
        return audit
    return replace(audit, parity=audit.parity and not faults, faults=(*audit.faults, *faults))
