"""Recording: from a world that has ended to the frames of its record."""

from collections.abc import Iterator, Mapping
from itertools import chain

import numpy as np

from sim.facts import Kind
from sim.ledger import bonds, mints, transfers
from sim.record import Calls, Columns, Transfers, digest
from sim.record.asides import (
    asks_frame,
    decisions_frame,
    jobs_frame,
    own_answers_frame,
    prices_frame,
    slots_frame,
    withdrawals_frame,
)
from sim.record.batches import Landed, batches_frame, modelled_gas
from sim.record.frames import (
    Frames,
    Names,
    calls_frame,
    task_sums,
    tasks_frame,
    transfers_frame,
)
from sim.record.moves import Move
from sim.record.protocol import ProtocolFrames
from sim.world import World

CHUNK_ROWS = 65_536


def frames_of(world: World, first_settled_id: int, landed: Mapping[int, Landed]) -> Frames:
    """The record of a world as frames.

    Args:
        first_settled_id: the contract's ``callCount`` before the run (0 without a chain).
        landed: where each batch landed on chain, by its number.
    """
    scenario, history = world.scenario, world.history
    columns, names = Columns(history), Names(scenario)
    batches = batches_frame(columns, scenario, first_settled_id, landed)
    moves = world.course.books.moves if world.course else []
    budgets = np.array([agent.budget_micros for agent in world.agents], np.int64)
    return Frames(
        scenario=scenario,
        digest=digest(columns.calls, columns.tasks, columns.answer_hash, *columns.asides),
        duration_us=history.duration_us,
        call_us=history.call_us,
        interrupted=history.interrupted,
        calls=calls_frame(columns, names, first_settled_id),
        tasks=tasks_frame(columns.tasks, names).with_columns(task_sums(columns)),
        transfers=transfers_frame(
            chain([mints(budgets, bonds(scenario))], _transfers(columns.calls, len(budgets))),
            modelled_gas(batches, scenario),
            names,
            [*moves, *_withdrawn(columns, names)],
        ),
        batches=batches,
        own_answers=own_answers_frame(columns.own_answers, names),
        decisions=decisions_frame(columns.decisions, names, scenario),
        prices=prices_frame(columns.prices, names),
        slots=slots_frame(columns.slots, names),
        withdrawals=withdrawals_frame(columns.withdrawals, names),
        asks=asks_frame(columns.asks, names),
        jobs=jobs_frame(columns.jobs, names, moves),
        protocol=world.course.frames() if world.course else ProtocolFrames(),
    )


def _withdrawn(columns: Columns, names: Names) -> Iterator[Move]:
    """What left agents' accounts for their wallets."""
    rows = columns.withdrawals
    for at in np.flatnonzero(rows.executed).tolist():
        agent, micros = names.agents[rows.agent[at]], int(rows.micros[at])
        places = f"agent:{agent}", f"wallet:{agent}"
        yield Move(int(rows.time_us[at]), Kind.WITHDRAWAL, "USDC", *places, micros)


def _transfers(calls: Calls, agents: int) -> Iterator[Transfers]:
    for start in range(0, len(calls), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        yield transfers(calls.take(rows), agents)
