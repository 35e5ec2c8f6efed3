"""The run directory: a record on disk, written once and read by audits and reports."""

import json
import platform
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import polars as pl
from pydantic import BaseModel, ConfigDict

from sim.facts import Fault, ScenarioError, ToolError
from sim.files import is_file
from sim.record.asides import no_jobs
from sim.record.begun import BEGUN, Begun
from sim.record.frames import Frames
from sim.record.protocol import ProtocolFrames
from sim.scenario.schema import Scenario

MANIFEST: Final = "manifest.json"
CHAIN_FILES: Final = ("deployment.json", "transactions.bin", "began.json", BEGUN)
FUNDING: Final = "funding.json"
"""There while agents get their money on a node of somebody else's (`sim.chain.before`)."""
TABLES: Final[tuple[str, ...]] = (
    "calls", "tasks", "transfers", "batches", "own_answers", "decisions", "prices", "slots",
    "withdrawals", "asks",
)  # fmt: skip
JOBS: Final = "jobs"
"""A table that is there where a protocol has jobs."""
LOOKED_AT: Final = ("calls", "tasks")
"""Whose columns are read into one piece each, so that NumPy looks at them without a copy."""
LEVEL: Final = 1
"""Of Zstandard: its default takes a third longer for files 3 % smaller."""
UNREADABLE: Final = (OSError, ValueError, pl.exceptions.PolarsError)
"""What reading a file that is missing, damaged or another one ends in."""
LIBRARIES: Final = ("telex", "numpy", "polars", "pydantic", "simpy", "web3")


class ChainPlace(BaseModel):
    """Where on a chain a run is.

    Args:
        backend: ``anvil`` or the node's URL. first_call: the contract's ``callCount`` before it.
        first_block, last_block: the run's own, funding included. head: the last block's hash.
        calls: how many were settled. halted: an interruption kept the others from being sent.
        errands: how many movements of money beside the calls were done.
        warp: the clock of somebody else's node followed simulated time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: str
    first_call: int
    first_block: int
    last_block: int
    head: str
    calls: int
    halted: bool
    errands: int = 0
    warp: bool = False


class Manifest(BaseModel):
    """``manifest.json``: all of a record that is no table; ``chain`` is None without a chain."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    scenario: Scenario
    scenario_hash: str
    seed: int
    digest: str
    duration_us: int
    call_us: int
    interrupted: bool
    chain: ChainPlace | None
    versions: dict[str, str]


@dataclass(frozen=True)
class Saved:
    """A run directory that has been read."""

    directory: Path
    manifest: Manifest
    frames: Frames


def tables_of(scenario: Scenario) -> tuple[str, ...]:
    """The tables of a run's record that every run of its kind has, a protocol's own aside."""
    protocol = scenario.protocol
    return TABLES if protocol is None or protocol.jobs is None else (*TABLES, JOBS)


def versions() -> dict[str, str]:
    """What the record was made with: Python and the libraries that shape it."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def new_directory(wanted: Path | None, scenario: Scenario) -> Path:
    """Makes the directory of a run: the one wanted, else the first free runs/NAME-SEED-K.

    Raises `ToolError` if the one wanted exists and is not empty, or none can be made.
    """
    try:
        if wanted is not None:
            wanted.mkdir(parents=True, exist_ok=True)
            if any(wanted.iterdir()):
                msg = f"output directory {wanted} exists and is not empty; choose another --out"
                raise ToolError(msg)
            return wanted
        number = 1
        while True:
            free = Path("runs") / f"{scenario.name}-{scenario.seed}-{number}"
            try:
                free.mkdir(parents=True)
            except FileExistsError:
                number += 1
            else:
                return free
    except OSError as error:
        msg = f"cannot make the output directory {error.filename or wanted}: {error.strerror}"
        raise ToolError(msg) from error


def discard(directory: Path, *, made: bool) -> None:
    """Clears up after a run that ended before there was anything to record, or to lose.

    Args:
        made: the directory was made for this run, and goes with it.
    """
    with suppress(OSError):
        if (directory / FUNDING).exists():
            return
        for name in CHAIN_FILES:
            (directory / name).unlink(missing_ok=True)
        if made:
            directory.rmdir()


def save(directory: Path, frames: Frames, chain: ChainPlace | None) -> None:
    """Writes the record; the manifest last, so that a directory with one is whole.

    That of a run on a chain which is killed meanwhile still says what it was asked to do.
    """
    scenario = frames.scenario
    if chain is not None:
        asked = Begun(scenario=scenario, chain=chain.backend, deployment=None, warp=chain.warp)
        asked.save(directory)
    manifest = Manifest(
        scenario=scenario,
        scenario_hash=scenario.scenario_hash().hex(),
        seed=scenario.seed,
        digest=frames.digest,
        duration_us=frames.duration_us,
        call_us=frames.call_us,
        interrupted=frames.interrupted,
        chain=chain,
        versions=versions(),
    )
    try:
        for name in tables_of(scenario):
            table: pl.DataFrame = getattr(frames, name)
            path = directory / f"{name}.parquet"
            table.write_parquet(path, compression="zstd", compression_level=LEVEL)
        if scenario.protocol is not None:
            frames.protocol.write(directory)
        (directory / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")
        (directory / BEGUN).unlink(missing_ok=True)
    except (OSError, pl.exceptions.PolarsError) as error:
        msg = f"cannot write the record to {directory}: {error}"
        raise ToolError(msg) from error


def write_text(directory: Path, files: Mapping[str, str]) -> None:
    """Writes what is derived from the record, by file name, beside it."""
    try:
        for name, text in files.items():
            (directory / name).write_text(text)
    except OSError as error:
        msg = f"cannot write {', '.join(files)} to {directory}: {error}"
        raise ToolError(msg) from error


def not_whole(directory: Path, tables: tuple[str, ...] = TABLES) -> ScenarioError:
    """Why a directory is not read as a run's: which of its files is missing, or damaged."""
    files = [directory / MANIFEST, *(directory / f"{name}.parquet" for name in tables)]
    found = "no record"
    if is_file(files[0]):
        files += sorted({*directory.glob("*.json"), *directory.glob("*.parquet")} - {*files})
        found = next(filter(None, map(_lacking, files)), "a record of another version")
    fault = Fault(str(directory), found, "the directory of a run of this version of Telex")
    return ScenarioError((fault,))


def _lacking(path: Path) -> str:
    if not is_file(path):
        return f"a record without {path.name}"
    try:
        if path.suffix == ".json":
            json.loads(path.read_text())
        else:
            pl.read_parquet(path)
    except UNREADABLE:
        return f"a record whose {path.name} is damaged"
    return ""


def _read(directory: Path, name: str) -> pl.DataFrame:
    table = pl.read_parquet(directory / f"{name}.parquet")
    return table.rechunk() if name in LOOKED_AT else table


def load(directory: Path) -> Saved:
    """Reads a run directory; raises `ScenarioError` if it is none, or not whole."""
    path, names = directory / MANIFEST, TABLES
    try:
        manifest = Manifest.model_validate(json.loads(path.read_text()))
        names = tables_of(manifest.scenario)
        tables = {name: _read(directory, name) for name in names}
        ruled = manifest.scenario.protocol is not None
        protocol = ProtocolFrames.read(directory) if ruled else ProtocolFrames()
    except UNREADABLE as error:
        raise not_whole(directory, names) from error
    frames = Frames(
        scenario=manifest.scenario,
        digest=manifest.digest,
        duration_us=manifest.duration_us,
        call_us=manifest.call_us,
        interrupted=manifest.interrupted,
        calls=tables["calls"],
        tasks=tables["tasks"],
        transfers=tables["transfers"],
        batches=tables["batches"],
        own_answers=tables["own_answers"],
        decisions=tables["decisions"],
        prices=tables["prices"],
        slots=tables["slots"],
        withdrawals=tables["withdrawals"],
        asks=tables["asks"],
        jobs=tables[JOBS] if JOBS in tables else no_jobs(manifest.scenario),
        protocol=protocol,
    )
    return Saved(directory, manifest, frames)
