"""A run's settling from its first batch to its last, begun again where a chain takes blocks back.

What was settled in blocks that a reorganisation has undone is settled once more. The last batches
are kept for that; the chain says which of their calls it still has.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from sim.chain.answers import Block
from sim.chain.blocks import Blocks, ReorganisedError
from sim.chain.deployment import Deployment
from sim.chain.engine import SETTLING_DOWN_S, Engine
from sim.chain.rails import ChainRail, ErrandRail, rail_on_chain, way_of
from sim.chain.settlement import OWN_ANVIL, ChainSetup, Resumed, SettledBatch
from sim.facts import Batch, ChainError

PARTS_PER_BLOCK = 16
BATCHES_KEPT = 256
ATTEMPTS = 5

Told = Callable[[list[SettledBatch], Block | None], None]


class Course:
    """One run's batches on their way to one deployment, whatever becomes of its last blocks.

    Args:
        first_block: of the run, funding included.
        told: is told of what each block settled, by another thread.
        taken_back: hears from which call on, by the chain's ids, all that was told is void.
    """

    def __init__(
        self, blocks: Blocks, deployment: Deployment, setup: ChainSetup, *, first_block: int,
        told: Told, taken_back: Callable[[int], None],
    ) -> None:  # fmt: skip
        self._blocks, self._deployment, self._setup = blocks, deployment, setup
        self._first_block, self._told, self._taken_back = first_block, told, taken_back
        self._kept: deque[Batch] = deque(maxlen=BATCHES_KEPT)
        self._way = way_of(blocks, deployment, setup)
        self.funded = self._way.funded
        rail = rail_on_chain(self._way, setup)
        resumed = setup.resumed
        landed = rail.resume(resumed.first_call, resumed.first_block) if resumed else 0
        self.first_call = rail.first_call
        self._engine = self._engine_of(rail, landed)

    def _engine_of(self, rail: ChainRail, landed: int) -> Engine:
        self._rail = rail
        together = self._setup.backend == OWN_ANVIL and self._setup.rail.kind == "batch"
        return Engine(
            rail,
            block_time_us=self._setup.block_time_us,
            per_block=PARTS_PER_BLOCK if together else 1,
            settled=self._told,
            landed=landed,
            stand=self._blocks.stand,
        )

    @property
    def errands_done(self) -> int:
        """How many of the run's errands are on the chain."""
        return self._rail.errands_done if isinstance(self._rail, ErrandRail) else 0

    def add(self, batch: Batch) -> None:
        """Takes a batch; it is settled by the time that `finish` returns."""
        self._kept.append(batch)
        self._carry(lambda engine: engine.add(batch), again=False)

    def wait(self) -> None:
        """Returns when the block in hand is mined and stands."""
        self._carry(Engine.wait, again=True)

    def finish(self) -> None:
        """Returns when all is mined and stands; raises `ChainError` naming a wrong batch."""
        self._carry(_finish, again=True)

    def _carry(self, action: Callable[[Engine], None], *, again: bool) -> None:
        """Does something with the engine; and, if it took a new one, all over ``again``."""
        for attempt in range(ATTEMPTS):
            try:
                action(self._engine)
                if again:
                    self._blocks.stand()
                return
            except ReorganisedError as error:
                if attempt == ATTEMPTS - 1:
                    raise
                self._begin_again(error)
                if not again:
                    return

    def _begin_again(self, why: ChainError) -> None:
        """Settles anew what the chain does not have any more of the batches that are kept."""
        for _ in range(ATTEMPTS):
            try:
                self._engine.close()
                time.sleep(SETTLING_DOWN_S)
                self._blocks.look_again()
                self._look()
                for batch in list(self._kept):
                    self._engine.add(batch)
                return
            except ChainError as error:  # a chain in the middle of it answers anything
                why = error
        raise why

    def _look(self) -> None:
        """A new engine, from where the chain now stands; it tells of all that is kept anew."""
        setup = replace(self._setup, resumed=Resumed(self.first_call, self._first_block))
        rail = rail_on_chain(way_of(self._blocks, self._deployment, setup), setup)
        landed = rail.resume(self.first_call, self._first_block)
        kept_from = self._kept[0].first if self._kept else landed
        if landed < kept_from:
            raise ChainError(
                f"the chain has taken back {kept_from - landed} calls more than are kept: "
                "telex resume settles them"
            )
        self._taken_back(self.first_call + kept_from)
        self._engine = self._engine_of(rail, landed)


def _finish(engine: Engine) -> None:
    engine.flush()
    engine.wait()
