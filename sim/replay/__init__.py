"""Replay: routers on recorded outcomes, one row per task and model, judged on tasks they never saw.

``read_table`` checks a file and makes it a `Table`; ``replay`` lets routers pick from it and
returns a `Replay` with a row of figures for each.
"""

from sim.replay.reading import read_table
from sim.replay.run import Replay, Settings, replay
from sim.replay.table import Table

__all__ = ["Replay", "Settings", "Table", "read_table", "replay"]
