"""The rows of an experiment on disk: each is there for good once it is finished."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from sim.experiment.jobs import Row
from sim.experiment.measures import measures
from sim.experiment.provenance import code_version
from sim.facts import Fault, ScenarioError, ToolError
from sim.record.archive import versions
from sim.scenario import Scenario

FORMAT: Final = 1
MANIFEST: Final = "experiment.json"
JOURNAL: Final = "rows.jsonl"
TABLE: Final = "results.parquet"
META: Final = ("verdict", "laws_ok", "error", "digest", "wall_s")
HOW: Final = "choose another --out, or take that directory away"


class Experiment(BaseModel):
    """``experiment.json``: what was asked, so that only the same question is taken up again.

    Args:
        kind: sweep, compare, ... designs: the scenarios, resolved, by name.
        settings: all else that shapes the points and their rows, in words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    designs: dict[str, Scenario]
    settings: dict[str, str] = {}

    def key(self) -> str:
        """SHA-256 over kind, designs and settings, in hex."""
        digest = hashlib.sha256(self.kind.encode())
        for name, scenario in self.designs.items():
            digest.update(b"\0" + name.encode() + b"\0" + scenario.scenario_hash())
        digest.update(json.dumps(self.settings, sort_keys=True).encode())
        return digest.hexdigest()

    def default_directory(self) -> Path:
        """Where its results go by default: the same for the same question to the same code."""
        first = next(iter(self.designs.values()))
        digest = hashlib.sha256(f"{self.key()}/{code_version()}".encode()).hexdigest()
        return Path("runs") / f"{first.name}-{self.kind}-{digest[:8]}"

    def document(self) -> dict[str, object]:
        """The text of the manifest, with the versions that made it."""
        made = {"format": FORMAT, "telex": code_version(), "key": self.key()}
        return made | self.model_dump(mode="json") | {"versions": versions()}


class Store:
    """The directory of an experiment: ``experiment.json``, ``rows.jsonl``, ``results.parquet``.

    A row is one line of the journal, on disk before the next is taken; a torn last line is cut
    off. `publish` makes the table of them. Use as a context manager.

    Raises:
        ScenarioError: the directory is another experiment's, or of another version.
        ToolError: it is in use, or cannot be written (a full disk); finished rows are kept.
    """

    def __init__(self, directory: Path, experiment: Experiment) -> None:
        self.directory, self.experiment = directory, experiment
        self.rows: dict[tuple[int, int], Row] = {}
        self._journal: FileIO | None = None
        self._fresh = False

    def __enter__(self) -> Self:
        with self._writing():
            self.directory.mkdir(parents=True, exist_ok=True)
            self._fresh = not (self.directory / MANIFEST).exists()
            if self._fresh:
                self._begin()
            else:
                _check(self.directory, self.experiment)
            self._journal = (self.directory / JOURNAL).open("ab+", buffering=0)
        self._lock()
        self.refresh()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        if error is not None and self._fresh and not self.rows:
            self._discard()

    def _discard(self) -> None:
        """An experiment that was refused before its first row leaves nothing behind."""
        for name in (MANIFEST, JOURNAL):
            (self.directory / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.directory.rmdir()
            self.directory.parent.rmdir()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            msg = f"cannot write to {self.directory}: {error.strerror or error}"
            raise ToolError(f"{msg}; {len(self.rows)} finished runs are kept") from error

    def _begin(self) -> None:
        if any(self.directory.iterdir()):
            msg = f"output directory {self.directory} exists and is not empty: {HOW}"
            raise ToolError(msg)
        self.write_json(MANIFEST, self.experiment.document())

    def _lock(self) -> None:
        assert self._journal is not None
        try:
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._journal.close()
            msg = f"another telex is writing to {self.directory}: wait for it, or {HOW}"
            raise ToolError(msg) from error

    def refresh(self) -> None:
        """Reads the journal: an interruption may have come between a row's line and its place."""
        assert self._journal is not None
        self._journal.seek(0)
        text = self._journal.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._journal.truncate(len(whole))
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                row = Row(**json.loads(line))
            except (ValueError, TypeError) as error:
                where = f"{self.directory / JOURNAL}, line {number}"
                fault = Fault(where, _shortened(line), "a row of this experiment", HOW)
                raise ScenarioError((fault,)) from error
            self.rows[row.place] = row

    def add(self, row: Row) -> None:
        """Takes a finished row; it is on disk when this returns."""
        assert self._journal is not None, "Store is a context manager"
        line = json.dumps(asdict(row), separators=(",", ":")).encode() + b"\n"
        end = self._journal.seek(0, os.SEEK_END)
        try:
            with self._writing():
                if self._journal.write(line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(self._journal.fileno())
        except ToolError:
            with contextlib.suppress(OSError):
                self._journal.truncate(end)
            raise
        self.rows[row.place] = row

    def publish(self, rows: Iterable[Row] | None = None) -> Path:
        """Writes ``results.parquet``: all rows, or those given; returns its path."""
        path = self.directory / TABLE
        made = frame(list(self.rows.values()) if rows is None else list(rows), self.experiment)
        fresh = path.with_suffix(".new")
        with self._writing():
            try:
                made.write_parquet(fresh, compression="zstd")
                fresh.replace(path)
            except pl.exceptions.PolarsError as error:
                raise OSError(None, str(error)) from error
        return path

    def write_json(self, name: str, document: Mapping[str, object]) -> Path:
        """Writes a JSON document beside the rows, whole or not at all."""
        path = self.directory / name
        fresh = path.with_suffix(".new")
        with self._writing():
            with fresh.open("w", encoding="utf-8") as file:
                json.dump(document, file, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        return path


def _check(directory: Path, experiment: Experiment) -> None:
    """Refuses a directory whose rows would not be rows of this experiment."""
    found = read_manifest(directory)
    needed = experiment.document()
    for what, name in (("format", "of format"), ("telex", "of telex")):
        if found.get(what) != needed[what]:
            fault = Fault(str(directory), f"results {name} {found.get(what)}",
                          f"{name} {needed[what]}", HOW)  # fmt: skip
            raise ScenarioError((fault,))
    if found.get("key") != needed["key"]:
        asked = f"another {found.get('kind')}: {_shortened(json.dumps(found.get('settings')))}"
        fault = Fault(str(directory), asked, f"this {experiment.kind}", HOW)
        raise ScenarioError((fault,))


def read_manifest(directory: Path) -> dict[str, object]:
    """``experiment.json`` as it is; raises `ScenarioError` if there is none that can be read."""
    try:
        document = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fault = Fault(str(directory), str(error), "the directory of an experiment")
        raise ScenarioError((fault,)) from error
    return document if isinstance(document, dict) else {}


def read(directory: Path) -> tuple[Experiment, pl.DataFrame]:
    """A finished experiment: what was asked, and the table of its rows.

    Raises `ScenarioError` if the directory is none, or of another format.
    """
    found = read_manifest(directory)
    if found.get("format") != FORMAT:
        fault = Fault(str(directory), f"results of format {found.get('format')}", f"{FORMAT}")
        raise ScenarioError((fault,))
    try:
        fields = {name: found.get(name) for name in Experiment.model_fields}
        return Experiment.model_validate(fields), pl.read_parquet(directory / TABLE)
    except (OSError, ValidationError, pl.exceptions.PolarsError) as error:
        fault = Fault(str(directory), str(error).split("\n", 1)[0], "a finished experiment")
        raise ScenarioError((fault,)) from error


def frame(rows: list[Row], experiment: Experiment) -> pl.DataFrame:
    """Rows as a table, sorted by point and replication.

    Columns: point, rep, seed; what labels the points (parameters by their path); every metric by
    its name; verdict, laws_ok, error, digest; and wall_s, which alone differs between two runs.
    """
    rows = sorted(rows, key=lambda row: row.place)
    whole: dict[str, bool] = {}
    for scenario in experiment.designs.values():
        whole |= {name: each.whole for name, each in measures(scenario).items()}
    labels = list(dict.fromkeys(label for row in rows for label in row.labels))
    series = [pl.Series(name, [getattr(row, name) for row in rows], pl.Int64)
              for name in ("point", "rep")]  # fmt: skip
    series.append(pl.Series("seed", [row.seed for row in rows], pl.Int64))
    series += [_labels(name, [row.labels.get(name) for row in rows]) for name in labels]
    for name, integer in whole.items():
        values = [row.numbers.get(name) for row in rows]
        series.append(pl.Series(name, values, pl.Int64 if integer else pl.Float64))
    types = (pl.String, pl.Boolean, pl.String, pl.String, pl.Float64)
    for name, kind in zip(META, types, strict=True):
        series.append(pl.Series(name, [getattr(row, name) for row in rows], kind))
    return pl.DataFrame(series)


def _labels(name: str, values: list[str | int | float | None]) -> pl.Series:
    if any(isinstance(value, str) for value in values):
        return pl.Series(name, [None if v is None else str(v) for v in values], pl.String)
    if any(isinstance(value, float) for value in values):
        return pl.Series(name, [None if v is None else float(v) for v in values], pl.Float64)
    return pl.Series(name, values, pl.Int64)


def _shortened(text: str | bytes) -> str:
    told = text.decode(errors="replace") if isinstance(text, bytes) else text
    return told if len(told) <= 80 else told[:77] + "..."
