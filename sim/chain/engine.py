"""The settling itself: batches become parts, those blocks, and every block is checked."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from sim.chain.answers import Block
from sim.chain.blocks import ReorganisedError
from sim.chain.pack import cut
from sim.chain.rails import ChainRail, ErrandPart, Part
from sim.chain.rpc import UnreachableError
from sim.chain.settlement import SettledBatch
from sim.facts import Batch, ChainError
from sim.units import US_PER_S

SETTLING_DOWN_S = 0.2

Settled = Callable[[list[SettledBatch], Block | None], None]


class Engine:
    """Settles a run's batches by one rail, in the order they come.

    Args:
        block_time_us: batches that close within one such window share a block.
        per_block: how many parts do, at most.
        settled: is told of each checked block's batches and the block, by another thread.
        landed: how many of the first calls are on the chain already, and only told.
        stand: raises `ReorganisedError` if the chain has taken back what was mined.

    One thread packs and signs the next block while another has the last one mined.
    """

    def __init__(
        self, rail: ChainRail, *, block_time_us: int, per_block: int, settled: Settled,
        landed: int = 0, stand: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._rail, self._block_time_us, self._per_block = rail, block_time_us, per_block
        self._settled, self._landed, self._stand = settled, landed, stand
        self._waiting: list[Part] = []
        self._window = -1
        self._worker = ThreadPoolExecutor(1, "miner")
        self._mining: Future[None] | None = None

    def add(self, batch: Batch) -> None:
        """Takes a batch; what waits is mined when a later window begins, or the block is full."""
        known = min(len(batch), self._landed - batch.first)
        if known > 0:
            self._settled(self._rail.landed(cut(batch, slice(0, known))), None)
            batch = cut(batch, slice(known, len(batch)))
        window = batch.closed_us // self._block_time_us
        if window != self._window:
            self.flush()
            self._window = window
        for part in self._rail.parts(batch) if len(batch) or batch.errands else ():
            apart = isinstance(part, ErrandPart)
            if apart:
                self.flush()
            self._waiting.append(part)
            if apart or len(self._waiting) == self._per_block:
                self.flush()

    def flush(self) -> None:
        """Has what waits mined and checked, while the caller goes on; see `wait` for errors."""
        if not self._waiting:
            return
        self.wait()
        parts, self._waiting = self._waiting, []
        seconds = -((self._window + 1) * self._block_time_us // -US_PER_S)
        self._mining = self._worker.submit(self._mine, parts, seconds)

    def wait(self) -> None:
        """Returns when what was flushed is mined; raises `ChainError` naming a wrong batch."""
        if self._mining is not None:
            self._mining.result()
            self._mining = None

    def close(self) -> None:
        """Ends without more; what is in hand is mined or fails, unheard."""
        self._worker.shutdown(cancel_futures=True)

    def _mine(self, parts: list[Part], seconds: int) -> None:
        try:
            rows, block = self._rail.settle(parts, seconds)
        except ReorganisedError:
            raise
        except ChainError as error:
            if isinstance(error, UnreachableError) and error.late:  # nor would it say what stands
                raise
            # What a reorganisation has cut fails for many a reason, some before it is over.
            time.sleep(SETTLING_DOWN_S)
            self._stand()
            raise
        self._settled(rows, block)
