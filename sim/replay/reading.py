"""A CSV or Parquet file of recorded outcomes as a checked `Table`, or all its faults, counted."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from sim.facts import Fault, ScenarioError
from sim.replay.table import AMOUNTS, Floats, Table
from sim.scenario.library import nearest

NAMES = ("task_id", "model")
REQUIRED = (*NAMES, "success")
COLUMNS = (*REQUIRED, *AMOUNTS, "domain")
ALLOWED = {
    "success": "a number from 0 to 1",
    "cost_usd": "dollars, 0 or more",
    "input_tokens": "a number of tokens, 0 or more",
    "output_tokens": "a number of tokens, 0 or more",
    "latency_s": "seconds, 0 or more",
}
FORMAT = f"a CSV or Parquet table with the columns {', '.join(REQUIRED)}"
AMOUNT_MAX = 1e12
BINARY = b"\0"


def read_table(path: Path | str) -> Table:
    """The table in a file: a row per task and model, none missing, none twice.

    Columns: ``task_id, model, success`` and where known ``cost_usd, input_tokens, output_tokens,
    latency_s, domain``. A column without any value counts as not there.

    Raises:
        ScenarioError: with every fault of the file, each with how often it occurs.
    """
    path = Path(path)
    return table_of(_loaded(path), path.name)


def table_of(frame: pl.DataFrame, name: str) -> Table:
    """The table in a frame; raises `ScenarioError` like `read_table`."""
    faults = list(_columns(frame))
    if any(column not in frame.columns for column in REQUIRED):
        raise ScenarioError(tuple(_placed(fault, name) for fault in faults))
    if not frame.height:
        raise ScenarioError((Fault(name, "a header and no rows", "a row per task and model"),))
    full = [column for column in COLUMNS if column in frame.columns
            and (column in REQUIRED or frame[column].null_count() < frame.height)]  # fmt: skip
    text = frame.select(full).with_columns(pl.col(*NAMES, *_has(full, "domain")).cast(pl.String))
    numbers = [column for column in full if column in ALLOWED]
    cast = text.with_columns(pl.col(numbers).cast(pl.Float64, strict=False))
    faults += [*_empty(text), *_numbers(text, cast, numbers), *_names(text)]
    if faults:
        raise ScenarioError(tuple(_placed(fault, name) for fault in faults))
    return _dense(cast, name)


def _has(columns: list[str], name: str) -> list[str]:
    return [name] if name in columns else []


def _placed(fault: Fault, name: str) -> Fault:
    return Fault(fault.path, fault.found, fault.allowed, fault.hint, fault.place or name)


def _loaded(path: Path) -> pl.DataFrame:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4096)
    except FileNotFoundError:
        beside = [each.name for each in path.parent.glob("*") if each.is_file()]
        hint = nearest(path.name, beside)
        raise ScenarioError((Fault(str(path), "no such file", FORMAT, hint),)) from None
    except OSError as error:
        raise ScenarioError((Fault(str(path), error.strerror or "?", FORMAT),)) from None
    if not size:
        raise ScenarioError((Fault(str(path), "an empty file", FORMAT),))
    parquet = head[:4] == b"PAR1"
    if not parquet and BINARY in head:
        raise ScenarioError((Fault(str(path), "a file that is not text", FORMAT),))
    try:
        return pl.read_parquet(path) if parquet else pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        first = str(error).strip().split("\n")[0][:200]
        raise ScenarioError((Fault(str(path), f"no table ({first})", FORMAT),)) from None


def _columns(frame: pl.DataFrame) -> Iterator[Fault]:
    known = list(COLUMNS)
    for column in frame.columns:
        if column not in known:
            hint = nearest(column, [name for name in known if name not in frame.columns])
            yield Fault(column[:60], "an unknown column", f"the columns {', '.join(known)}", hint)
    for column in REQUIRED:
        if column not in frame.columns:
            yield Fault(column, "no such column", FORMAT)


def _empty(text: pl.DataFrame) -> Iterator[Fault]:
    for column in text.columns:
        values = text[column]
        blank = int((values == "").sum()) if values.dtype == pl.String else 0
        if missing := values.null_count() + blank:
            found = f"{missing} of {text.height} rows empty"
            yield Fault(column, found, "a value in every row (or no such column, if optional)")


def _numbers(text: pl.DataFrame, cast: pl.DataFrame, names: list[str]) -> Iterator[Fault]:
    for name in names:
        given = text[name].is_not_null() & (text[name].cast(pl.String) != "")
        value = cast[name]
        bad = given & ~value.is_finite().fill_null(value=False)
        below = value.is_finite() & (value < 0)
        limit = 1.0 if name == "success" else AMOUNT_MAX
        above = value.is_finite() & (value > limit)
        for what, where in (("no number", bad), ("negative", below), (f"above {limit:g}", above)):
            if count := int(where.sum()):
                first = text[name].filter(where.fill_null(value=False))[0]
                found = f"{count} of {text.height} rows {what}, first {first!s:.40}"
                yield Fault(name, found, ALLOWED[name])


def _names(text: pl.DataFrame) -> Iterator[Fault]:
    rows = text.drop_nulls(list(NAMES))
    per_pair = rows.group_by(NAMES).len()
    repeated = rows.height - per_pair.height
    if repeated:
        task, model, times = per_pair.sort("len", *NAMES, descending=[True, False, False]).row(0)
        found = f"{repeated} duplicate rows, as task {task}, model {model}: {times} times"
        yield Fault("task_id, model", found, "one row per task and model")
    per_task = per_pair.group_by("task_id").len()
    models = sorted(per_pair["model"].unique())
    missing = per_task.height * len(models) - per_pair.height
    if missing:
        task = str(per_task.filter(pl.col("len") < len(models))["task_id"].min())
        has = set(per_pair.filter(pl.col("task_id") == task)["model"])
        gap = next(model for model in models if model not in has)
        found = f"{missing} of {per_task.height * len(models)} cells missing, first {task}, {gap}"
        yield Fault("task_id, model", found, "a row for every task and every model")
    if "domain" in text.columns:
        spread = text.group_by("task_id").agg(pl.col("domain").n_unique().alias("n"))
        if torn := spread.filter(pl.col("n") > 1).height:
            yield Fault("domain", f"{torn} tasks in more than one", "one domain per task")


def _dense(frame: pl.DataFrame, name: str) -> Table:
    frame = frame.sort(NAMES)
    models = frame["model"].unique().sort().to_list()
    first = frame.gather_every(len(models))
    domains, domain = [""], np.zeros(first.height, np.int64)
    if "domain" in frame.columns:
        found, domain = np.unique(first["domain"].to_numpy(), return_inverse=True)
        domains = [str(each) for each in found]

    def grid(column: str) -> Floats | None:
        if column not in frame.columns:
            return None
        values: Floats = frame[column].to_numpy().reshape(first.height, len(models))
        return values

    success = grid("success")
    assert success is not None
    return Table(
        name, tuple(first["task_id"].to_list()), tuple(models), tuple(domains),
        domain.astype(np.int64), success, *(grid(column) for column in AMOUNTS),
    )  # fmt: skip
