"""A whole run: scenario to world to chain to record to laws to summary, in one directory."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from sim.auditing import (
    NO_CHAIN,
    Place,
    acts_of_world,
    audit_settled,
    begin,
    chain_figures,
    chain_setup,
    going_on,
    landed,
    parity_of,
    place_of,
)
from sim.chain import Settlement, Settler
from sim.chain.settlement import Audit
from sim.chain.settler import Heard
from sim.facts import LawError, TelexError
from sim.files import is_there
from sim.laws import Evidence, check
from sim.metrics import Figures, LawFigures, Summary, figures, graph_files
from sim.metrics.stopwatch import Stopwatch
from sim.record.archive import Saved, discard, load, new_directory, save, write_text
from sim.recording import frames_of
from sim.scenario import Scenario
from sim.scenario import load as load_scenario
from sim.world import Tick, World, interruptible


class Progress(Protocol):
    """Told how far a run is."""

    def update(
        self, calls: int, tasks: int, tasks_in_all: int | None, simulated_us: int, settled: int
    ) -> None:
        """``settled`` calls are on the chain of ``calls`` that ended; ``tasks`` were posted.

        ``tasks_in_all`` is how many there will be in all, where the scenario says so.
        """

    def say(self, words: str) -> None:
        """Told, by another thread, what the chain has to wait for."""


@dataclass(frozen=True)
class Run:
    """A run that has ended: its summary, its record, and what stopped it, if anything did."""

    saved: Saved
    summary: Summary
    failure: TelexError | None

    @property
    def directory(self) -> Path:
        """Where the record is."""
        return self.saved.directory

    @property
    def scenario(self) -> Scenario:
        """The scenario, resolved."""
        return self.saved.frames.scenario

    @property
    def calls(self) -> pl.DataFrame:
        """Every call, in the order of its id (``calls.parquet``)."""
        return self.saved.frames.calls

    @property
    def tasks(self) -> pl.DataFrame:
        """Every task, as posted (``tasks.parquet``)."""
        return self.saved.frames.tasks

    @property
    def transfers(self) -> pl.DataFrame:
        """Every transfer (``transfers.parquet``)."""
        return self.saved.frames.transfers

    @property
    def interrupted(self) -> bool:
        """Whether the run was stopped before its end."""
        return self.saved.frames.interrupted

    @property
    def ok(self) -> bool:
        """Whether all laws held and nothing failed."""
        return self.failure is None


def run(
    source: str | Path | Scenario,
    *,
    set: Mapping[str, object] | None = None,  # noqa: A002 - the interface's name
    seed: int | None = None,
    out: str | Path | None = None,
    chain: str | None = None,
    deployment: str | Path | None = None,
    warp: bool = False,
    allow_remote: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Runs a scenario and returns the run; see `Run.failure` for a broken law or a lost chain.

    Args:
        source: a scenario, a file of one, or the name of one that ships with Telex.
        set: values by path, as ``--set`` takes them. seed: instead of the scenario's.
        out: the run directory; the first free runs/NAME-SEED-K if None.
        chain: ``anvil``, ``none`` or a URL; the scenario's if None.
        deployment: contracts that are on the chain already (``deployment.json``).
        warp: let a foreign node's clock follow simulated time. allow_remote: beyond loopback.

    Raises:
        ScenarioError: bad input. ToolError: no Anvil, an output directory in use, ...
        ChainError: the chain could not be set up.
        LawError: a law broke in mid-run; what was recorded before is in the directory.
    """
    wanted = dict(set or {}) | ({} if chain is None else {"chain.backend": chain})
    scenario = source if isinstance(source, Scenario) else load_scenario(source, wanted, seed)
    place = Place(
        chain or scenario.chain.backend,
        None if deployment is None else Path(deployment),
        warp,
        allow_remote,
    )
    made = out is None or not is_there(Path(out))
    directory = new_directory(None if out is None else Path(out), scenario)
    return _run(scenario, place, directory, made, progress)


def resume(
    directory: str | Path, *, allow_remote: bool = False, progress: Progress | None = None
) -> Run:
    """Goes on with a run whose node was lost, that was interrupted or killed; see `Run.failure`.

    The market runs again, the same to the last call; what the chain has of it is found out first,
    and only the rest is settled.

    Raises:
        ScenarioError: no run directory, or one of a run without a chain.
        ToolError, ChainError: as `run`; the directory stays as it was.
    """
    where = Path(directory)
    scenario, place = going_on(where, allow_remote=allow_remote)
    try:
        return _run(scenario, place, where, False, progress)
    except TelexError:
        if not any(where.iterdir()):  # its chain never stood: it may be tried again
            begin(scenario, place, where)
        raise


def _run(
    scenario: Scenario, place: Place, directory: Path, made: bool, progress: Progress | None
) -> Run:
    stopwatch = Stopwatch()
    heard = progress.say if progress else None
    with _settler(scenario, place, directory, made, heard) as settler:
        on_batch = stopwatch.waiting(settler.send) if settler else None
        world = World(scenario, on_batch, _ticker(progress, scenario, settler))
        _simulate(world, settler, directory, place)
        stopwatch.simulated()
        with stopwatch.chain():
            settlement = _settle(world, settler)
        with interruptible(_not_now):
            saved, in_memory = _save(world, settlement, directory, place)
        with stopwatch.chain():
            audit = _audit(world, saved, settlement)
    again = figures(saved.frames)
    parity = parity_of(saved, settlement, audit)
    laws = check(Evidence.gather(saved.frames, again, in_memory, parity, world.ledger))
    summary = Summary(
        **dict(again),
        chain=chain_figures(saved, settlement, audit),
        laws=laws,
        timing=stopwatch.timing(again.calls.made),
    )
    text = summary.model_dump_json(indent=2) + "\n"
    write_text(directory, {"summary.json": text, **graph_files(saved.frames)})
    return Run(saved, summary, world.history.failure or _broken(laws))


@contextlib.contextmanager
def _settler(
    scenario: Scenario, place: Place, directory: Path, made: bool, heard: Heard | None
) -> Iterator[Settler | None]:
    """A settler that is starting, or None without a chain; its node ends with this block.

    A chain that never stands leaves nothing behind, but of a run that was to go on.
    """
    if place.chain == NO_CHAIN:
        yield None
        return
    stood = False
    try:
        if place.resumed is None:
            begin(scenario, place, directory)
        with Settler(chain_setup(scenario, place, directory), heard) as settler:
            try:
                yield settler
            finally:
                stood = settler.settlement_so_far is not None
    except TelexError:
        if not stood and place.resumed is None:
            discard(directory, made=made)
        raise


def _ticker(
    progress: Progress | None, scenario: Scenario, settler: Settler | None
) -> Callable[[Tick], None] | None:
    if progress is None:
        return None

    def on_tick(tick: Tick) -> None:
        settled = settler.settled if settler else 0
        progress.update(tick.calls, tick.tasks, scenario.tasks, tick.simulated_us, settled)

    return on_tick


def _simulate(world: World, settler: Settler | None, directory: Path, place: Place) -> None:
    """Runs the world; a law that breaks leaves what was recorded and settled so far, readable."""
    try:
        world.run()
    except LawError:
        world.abandon()
        settlement = _settle(world, settler, halt=True)
        _save(world, settlement, directory, place)
        raise


def _settle(world: World, settler: Settler | None, *, halt: bool = False) -> Settlement | None:
    """Waits for the chain; a lost chain or an interruption leaves what is settled by then.

    Raises the settler's error if the chain never stood.
    """
    if settler is None:
        return None
    history = world.history
    try:
        if history.failure is None:
            if halt:
                return settler.halt()
            if (acts := acts_of_world(world)) is not None:
                settler.perform(acts)
            return settler.finish()
    except TelexError as error:
        history.failure = error
    except KeyboardInterrupt:
        history.interrupted = history.halted = True
        with interruptible(_not_now):
            return _settle(world, settler, halt=True)
    so_far = settler.settlement_so_far
    if so_far is None and history.failure is not None:
        raise history.failure
    return so_far


def _save(
    world: World, settlement: Settlement | None, directory: Path, place: Place
) -> tuple[Saved, Figures]:
    """Saves the record and reads it back; also its figures before it was saved (law 8)."""
    first = settlement.ready.first_call if settlement else 0
    world.unpay(call - first for call in (settlement.unpaid if settlement else ()))
    frames = frames_of(world, first, landed(settlement))
    save(directory, frames, place_of(settlement, place, halted=world.history.halted))
    in_memory = figures(frames)
    del frames
    return load(directory), in_memory


def _audit(world: World, saved: Saved, settlement: Settlement | None) -> Audit | None:
    """Audits the run on its node; None without a chain, or if the node is lost."""
    if settlement is None:
        return None
    try:
        return audit_settled(saved, settlement)
    except TelexError as error:
        world.history.failure = world.history.failure or error
        return None


def _not_now() -> None:
    """What an interruption does while the record is being saved: nothing."""


def _broken(laws: Mapping[str, LawFigures]) -> LawError | None:
    for name, law in laws.items():
        if not law.ok:
            return LawError(name, law.found, law.needed)
    return None
