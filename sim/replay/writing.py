"""A table of outcomes as a file that `sim.replay.reading` reads back."""

from pathlib import Path

import numpy as np
import polars as pl

from sim.facts import ToolError
from sim.replay.table import Table


def frame_of(table: Table) -> pl.DataFrame:
    """A row per task and model, with the columns that are known."""
    tasks, models = table.success.shape
    columns: dict[str, object] = {
        "task_id": np.repeat(np.array(table.tasks), models),
        "model": np.tile(np.array(table.models), tasks),
        "success": table.success.ravel(),
    }
    for name in table.known:
        if name != "domain":
            columns[name] = getattr(table, name).ravel()
    if "domain" in table.known:
        columns["domain"] = np.repeat(np.array(table.domains)[table.domain], models)
    return pl.DataFrame(columns)


def write_table(table: Table, path: Path) -> None:
    """Writes a table as Parquet, or as CSV if that is how its name ends; raises `ToolError`."""
    frame = frame_of(table)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() == ".csv":
            frame.write_csv(path)
        else:
            frame.write_parquet(path)
    except OSError as error:
        raise ToolError(f"{path} cannot be written: {error.strerror}") from error
