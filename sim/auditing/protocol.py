"""Between a protocol's record and the chain: its acts, derived from the record alone."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sim.auditing.epochs import Rows, epochs_of, with_payments
from sim.auditing.jobs import PaidJobs, are_on_chain, jobs_of_world, recorded_jobs
from sim.chain.acts import Acts, Bought, Enrolled, Epoch, Registered
from sim.chain.deployment import NAME, load_deployment
from sim.chain.settlement import Audit
from sim.facts import Kind, Status
from sim.intents import INTENTS
from sim.protocols.money import WEI_PER_MACHINA
from sim.record import PackedColumn
from sim.record.archive import Saved
from sim.record.frames import codes
from sim.record.moves import Move
from sim.record.protocol import protocol_accounts
from sim.scenario import Scenario
from sim.scenario.chain_checks import is_mintable, is_registrable
from sim.units import US_PER_S, Int64Array, micros_from_usd_exact, us_from_hours_nearest
from sim.world import World

if TYPE_CHECKING:
    from sim.chain.rpc import Rpc

STOOD = ("registered_us", "left_us")


@dataclass(frozen=True)
class Told:
    """What a run tells of its protocol, be it still in memory or saved.

    Args:
        epochs, validators: rows by epoch, the last of which was cut short. registrations: rows by
            registration. moves: transfers beside calls. paid: the jobs.
        calls: call id, time of the end in us, charge in micros, and status, of all calls.
    """

    epochs: Rows
    validators: Rows
    registrations: Rows
    moves: Sequence[Move]
    paid: PaidJobs
    calls: tuple[Int64Array, Int64Array, Int64Array, Int64Array]


CALLS = ("call_id", "finished_us", "charge_micros", "status")


def can_perform(scenario: Scenario) -> bool:
    """Whether models can register at the port, and epochs be settled there, with a protocol."""
    return is_registrable(scenario)


def acts_of_world(world: World) -> Acts | None:
    """The acts of a run that is whole; None where there is no protocol, or the chain cannot."""
    course, history = world.course, world.history
    if course is None or history.interrupted or not can_perform(world.scenario):
        return None
    chronicle = course.chronicle
    ids, times, charges, status = (
        PackedColumn.joined([block.columns[name] for block in history.calls]) for name in CALLS
    )
    return acts_of(
        world.scenario,
        Told(
            epochs=chronicle.epochs,
            validators=chronicle.validators,
            registrations=course.registry.rows,
            moves=course.books.moves,
            paid=jobs_of_world(world),
            calls=(ids, times, charges, status),
        ),
    )


def acts_of(scenario: Scenario, told: Told) -> Acts:
    """What the chain is to show of a protocol."""
    protocol = scenario.protocol
    assert protocol is not None
    names, mints = list(scenario.models), is_mintable(scenario)
    held = _Held(told.moves if mints else ())
    accounts = protocol_accounts(protocol, scenario.intents) if mints else []
    miners = tuple(_enrolled(scenario, name) for name in names)
    pool = protocol.purchases if mints else None
    bought = tuple(
        Bought(time_us, names.index(name), *pair, told.paid.by_swap.get(at))
        for at, (time_us, name, pair) in enumerate(held.bought)
    )
    return Acts(
        miners=miners,
        registrations=tuple(_registered(miners, told.registrations)),
        mints=mints,
        epochs_before=protocol.emission.epochs_before if mints else 0,
        epoch_s=us_from_hours_nearest(protocol.epoch_h) // US_PER_S,
        pool_micros=micros_from_usd_exact(pool.pool_usd) if pool else 0,
        pool_wei=int(pool.pool_machina * WEI_PER_MACHINA) if pool else 0,
        epochs=tuple(_paid(told, bought)),
        bought=bought,
        pool_left=(held.of["USDC", "pool"], held.of["MACHINA", "pool"]),
        given=tuple(held.of["MACHINA", each] for each in accounts if ":" in each),
        treasury_wei=held.of["MACHINA", "treasury"],
        bonds_wei=held.of["MACHINA", "bonds"],
        jobs=told.paid.jobs,
    )


def _paid(told: Told, bought: Sequence[Bought]) -> Iterator[Epoch]:
    ids, times_us, charges, status = told.calls
    other = ~np.isin(ids, np.array([job.call_id for job in told.paid.jobs], np.int64))
    unpaid = times_us[status == Status.UNPAID]
    epochs = epochs_of(told.epochs, told.validators, told.moves)
    return with_payments(epochs, times_us[other], charges[other], unpaid, bought)


class _Held:
    """Balances by asset and account, and purchases by the model's name, as transfers make them."""

    def __init__(self, moves: Iterable[Move]) -> None:
        self.of: dict[tuple[str, str], int] = defaultdict(int)
        self.bought: list[tuple[int, str, tuple[int, int]]] = []
        for time_us, kind, asset, source, target, amount in moves:
            self.of[asset, source] -= amount
            self.of[asset, target] += amount
            if kind == Kind.SWAP and asset == "USDC":
                self.bought.append((time_us, source.removeprefix("model:"), (amount, 0)))
            elif kind == Kind.SWAP:
                sold_us, name, (micros, _) = self.bought[-1]
                self.bought[-1] = sold_us, name, (micros, amount)


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


def recorded_acts(saved: Saved) -> Acts:
    """The acts that a saved record asks of the chain."""
    frames = saved.frames
    own = frames.transfers.filter(frames.transfers["call_id"].is_null())
    own = own.filter(own["asset"].cast(str) != "ETH")
    moves = [
        Move(row[0], Kind[row[1].upper()], row[2], row[3], row[4], int(row[5]))
        for row in own.select("time_us", "kind", "asset", "source", "target", "amount").iter_rows()
    ]
    tables = frames.protocol
    ids, times, charges, status = (codes(frames.calls[name]) for name in CALLS)
    return acts_of(
        frames.scenario,
        Told(
            epochs=tables.epochs.iter_rows(named=True),
            validators=tables.validators.iter_rows(named=True),
            registrations=tables.registrations.iter_rows(named=True),
            moves=moves,
            paid=recorded_jobs(frames),
            calls=(ids, times, charges, status),
        ),
    )


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
