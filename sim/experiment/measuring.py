"""One run without a directory: simulated, folded into figures, held to every law."""

from dataclasses import dataclass, replace
from io import BytesIO

import polars as pl

from sim.experiment.measures import Numbers, numbers
from sim.facts import LawError
from sim.laws import Evidence, check
from sim.metrics import Figures, figures
from sim.metrics.gains import HOSTING
from sim.metrics.stability import Stability, stability
from sim.record.archive import TABLES
from sim.record.frames import Frames
from sim.recording import frames_of
from sim.scenario import Scenario
from sim.world import World


@dataclass(frozen=True)
class Measured:
    """A run that has ended and kept all laws.

    ``numbers`` are its figures by flat name, those after the warm-up if there was one; ``figures``
    are of the whole run.
    """

    frames: Frames
    figures: Figures
    numbers: Numbers
    stability: Stability


def measure(scenario: Scenario, warm_up_us: int = 0) -> Measured:
    """Runs a scenario without a chain, in memory, and checks every law.

    Args:
        warm_up_us: tasks posted before are left out of the numbers, with their calls, and so are
            batches closed before; what is left of budgets and the duration are the whole run's.

    Raises:
        LawError: a law is broken. KeyboardInterrupt: the run was interrupted.
    """
    world = World(scenario)
    world.run()
    if world.history.interrupted:
        raise KeyboardInterrupt
    frames = frames_of(world, 0, {})
    in_memory, again = figures(frames), figures(_read_again(frames))
    laws = check(Evidence.gather(frames, again, in_memory, None, world.ledger))
    for name, law in laws.items():
        if not law.ok:
            raise LawError(name, law.found, law.needed)
    found = numbers(again)
    if warm_up_us:
        later = numbers(figures(_after(frames, warm_up_us)))
        found = later | {name: found[name] for name in found if _of_whole_run(name)}
    return Measured(frames, again, found, stability(frames))


def _of_whole_run(name: str) -> bool:
    return name == "duration_us" or name.endswith((".budget_left_micros", ".withdrawn_micros"))


def _read_again(frames: Frames) -> Frames:
    """The record written and read again as Parquet in memory (law 8)."""
    calls, tasks, transfers, batches, own_answers, decisions, prices, slots, withdrawals, asks = (
        _through_parquet(getattr(frames, table)) for table in TABLES
    )
    return replace(
        frames, calls=calls, tasks=tasks, transfers=transfers, batches=batches,
        own_answers=own_answers, decisions=decisions, prices=prices, slots=slots,
        withdrawals=withdrawals, asks=asks,
    )  # fmt: skip


def _through_parquet(table: pl.DataFrame) -> pl.DataFrame:
    file = BytesIO()
    table.write_parquet(file, compression="uncompressed")
    file.seek(0)
    return pl.read_parquet(file)


def _after(frames: Frames, warm_up_us: int) -> Frames:
    tasks = frames.tasks.filter(pl.col("posted_us") >= warm_up_us)
    closed = pl.col("closed_us") >= warm_up_us
    gas = (pl.col("kind") == "gas") & (pl.col("time_us") >= warm_up_us)
    return replace(
        frames,
        tasks=tasks,
        calls=frames.calls.join(tasks.select("task_id"), on="task_id", how="semi").sort("call_id"),
        batches=frames.batches.filter(closed),
        transfers=frames.transfers.filter(gas),
        own_answers=frames.own_answers.join(tasks.select("task_id"), on="task_id", how="semi"),
        decisions=_decisions_after(frames.decisions, warm_up_us),
    )


def _decisions_after(decisions: pl.DataFrame, warm_up_us: int) -> pl.DataFrame:
    """Those made later; who hosted a model already does so from the end of the warm-up on."""
    lasting = pl.col("decision").cast(pl.String).is_in(HOSTING)
    clipped = pl.col("time_us").clip(lower_bound=warm_up_us)
    return decisions.filter(lasting | (pl.col("time_us") >= warm_up_us)).with_columns(clipped)
