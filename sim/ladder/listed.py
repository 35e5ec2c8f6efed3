"""The list: what a scenario's market settles, whatever carries it; and its batches by each rail."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sim.chain.pack import cut
from sim.chain.settlement import AuditRecord
from sim.facts import Batch, Fault, ScenarioError
from sim.rails import Paid, Rail
from sim.record import Columns
from sim.scenario import Scenario
from sim.units import BytesArray, Int64Array
from sim.world import Tick, World


@dataclass(frozen=True)
class Listed:
    """Calls in settlement order, as one batch; when each was posted; what agents began with."""

    calls: Batch
    posted_us: Int64Array
    budget_micros: Int64Array
    models: int

    def __len__(self) -> int:
        return len(self.calls)

    def batches(self, rail: Rail, first: int) -> list[Batch]:
        """The batches that a rail makes of the list; the first ``first`` calls end with one."""
        made: list[Batch] = []
        for rows in (slice(0, first), slice(first, len(self))):
            part, closer = cut(self.calls, rows), rail.closer()
            for closed in [*closer.add(part.finished_us), *closer.finish()]:
                batch = cut(part, slice(closed.start, closed.stop))
                made.append(replace(batch, number=len(made), closed_us=closed.closed_us))
        return made

    def paid(self, batches: list[Batch]) -> Paid:
        """The list as a rail weighs it, given its batches."""
        sizes = [len(batch) for batch in batches]
        count = sum(sizes)
        return Paid(
            agent=self.calls.agent[:count],
            model=self.calls.model[:count],
            quote_micros=self.calls.quote_micros[:count],
            charge_micros=self.calls.charge_micros[:count],
            posted_us=self.posted_us[:count],
            closed_us=np.repeat([batch.closed_us for batch in batches], sizes),
            batch=np.repeat(np.arange(len(batches)), sizes),
            budget_micros=self.budget_micros,
        )

    def record(
        self, count: int, rail: str, first_call: int, blocks: tuple[int, int]
    ) -> AuditRecord:
        """What the ledger says of the first ``count`` calls, for an audit of these blocks."""
        calls = cut(self.calls, slice(0, count))
        balances = self.budget_micros.copy()
        earned = np.zeros(self.models, np.int64)
        np.subtract.at(balances, calls.agent, calls.charge_micros)
        np.add.at(earned, calls.model, calls.charge_micros - calls.fee_micros)
        nothing: BytesArray = np.zeros((0, 32), np.uint8)
        return AuditRecord(
            call_id=calls.call_id,
            agent=calls.agent,
            model=calls.model,
            quote_micros=calls.quote_micros,
            charge_micros=calls.charge_micros,
            score_ppm=calls.score_ppm,
            intent=calls.intent,
            finished_us=calls.finished_us,
            answer_hash=calls.answer_hash,
            agent_balance_micros=balances,
            model_earned_micros=earned,
            fees_micros=int(calls.fee_micros.sum()),
            refunded_hash=nothing,
            first_call=first_call,
            first_block=blocks[0],
            last_block=blocks[1],
            rail=rail,
        )


def listed(scenario: Scenario, on_tick: Callable[[Tick], None] | None = None) -> Listed:
    """Runs the market once, without a chain; raises `ScenarioError` if it settles nothing."""
    world = World(scenario, None, on_tick)
    world.run()
    budgets = np.array([agent.budget_micros for agent in world.agents], np.int64)
    columns = Columns(world.history)
    calls, settled = columns.calls, columns.settled
    rows = np.flatnonzero(settled >= 0)
    rows = rows[np.argsort(settled[rows], kind="stable")]
    if not len(rows):
        raise ScenarioError((Fault("tasks", "no settled call", "a market that settles some"),))
    chosen = calls.take(rows)
    batch = Batch(
        number=0,
        closed_us=0,
        first=0,
        call_id=chosen.call_id,
        agent=chosen.agent,
        model=chosen.model,
        quote_micros=chosen.quote_micros,
        charge_micros=chosen.charge_micros,
        fee_micros=chosen.fee_micros,
        score_ppm=chosen.score_ppm,
        intent=chosen.intent,
        finished_us=chosen.finished_us,
        answer_hash=columns.answer_hash[rows],
    )
    return Listed(batch, chosen.posted_us, budgets, len(scenario.models))
