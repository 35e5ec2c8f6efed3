"""A saved run as the report reads it: its manifest and summary, its tables by lazy queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sim.facts import Fault, ScenarioError
from sim.metrics import ChainFigures, Figures, LawFigures, Summary, figures
from sim.record.archive import MANIFEST, UNREADABLE, Manifest, load, not_whole
from sim.scenario.schema import Scenario

SUMMARY = "summary.json"


@dataclass(frozen=True)
class Record:
    """One saved run.

    Args:
        key: tells runs of one report apart in ids: a, b, c, ...; label does so in words.
        figures: of the summary, or folded again where a run ended before it had one.
        laws: by name; empty without a summary. chain: None without a chain, or a summary.
        calls, transfers: read as they are asked for. batches: at most some thousand rows.
    """

    key: str
    label: str
    directory: Path
    manifest: Manifest
    figures: Figures
    laws: dict[str, LawFigures]
    chain: ChainFigures | None
    calls: pl.LazyFrame
    transfers: pl.LazyFrame
    batches: pl.DataFrame

    @property
    def scenario(self) -> Scenario:
        """The scenario, resolved."""
        return self.manifest.scenario

    @property
    def epochs(self) -> pl.DataFrame | None:
        """The protocol's tables by epoch; None where there is no protocol."""
        if self.scenario.protocol is None:
            return None
        return pl.read_parquet(self.directory / "epochs.parquet")

    @property
    def jobs(self) -> pl.DataFrame | None:
        """Every on-chain job; None where there can be none."""
        if self.scenario.protocol is None or self.scenario.protocol.jobs is None:
            return None
        return pl.read_parquet(self.directory / "jobs.parquet")

    @property
    def slots(self) -> pl.DataFrame:
        """Every change of a model's slots in mid-run."""
        return pl.read_parquet(self.directory / "slots.parquet")

    @property
    def models(self) -> list[str]:
        """The models' names, by their position in the record."""
        return list(self.scenario.models)


def open_runs(directories: Sequence[Path]) -> list[Record]:
    """Opens run directories; raises `ScenarioError` with every one that is none."""
    faults: list[Fault] = []
    opened: list[Record] = []
    labels = _labels(directories)
    for at, (directory, label) in enumerate(zip(directories, labels, strict=True)):
        try:
            opened.append(_open(directory, _key(at), label))
        except ScenarioError as error:
            faults += error.faults
    if faults:
        raise ScenarioError(tuple(faults))
    return opened


def _key(at: int) -> str:
    return chr(ord("a") + at) if at < 26 else f"r{at + 1}"


def _labels(directories: Sequence[Path]) -> list[str]:
    """The directories' names, numbered where two have the same."""
    names = [directory.resolve().name for directory in directories]
    seen: dict[str, int] = {}
    labels = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        labels.append(name if names.count(name) == 1 else f"{name} ({seen[name]})")
    return labels


def _open(directory: Path, key: str, label: str) -> Record:
    try:
        manifest = Manifest.model_validate_json((directory / MANIFEST).read_text())
        calls = pl.scan_parquet(directory / "calls.parquet")
        transfers = pl.scan_parquet(directory / "transfers.parquet")
        calls.collect_schema()
        transfers.collect_schema()
        batches = pl.read_parquet(directory / "batches.parquet")
        summary = _summary(directory)
    except UNREADABLE as error:
        raise not_whole(directory) from error
    return Record(
        key=key,
        label=label,
        directory=directory,
        manifest=manifest,
        figures=summary or figures(load(directory).frames),
        laws=summary.laws if summary else {},
        chain=summary.chain if summary and summary.chain.backend != "none" else None,
        calls=calls,
        transfers=transfers,
        batches=batches,
    )


def _summary(directory: Path) -> Summary | None:
    path = directory / SUMMARY
    return Summary.model_validate_json(path.read_text()) if path.is_file() else None
