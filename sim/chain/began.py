"""Where on its chain a run began, kept beside its transactions for a run that goes on."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from sim.facts import ToolError
from sim.files import write_whole

NAME = "began.json"


@dataclass(frozen=True, slots=True)
class Began:
    """What a settler writes down once the chain stands.

    Args:
        first_call: the contract's count of calls before the run. first_block: the run's first.
        acts_block: the first block of a protocol's acts, None until they are begun.
        zero_unix: simulated time 0 by the node's clock, where that is warped.
    """

    first_call: int
    first_block: int
    acts_block: int | None = None
    zero_unix: int | None = None

    def save(self, directory: Path) -> None:
        """Writes it, whole or not at all; raises `ToolError` if it cannot be written."""
        write_whole(directory / NAME, json.dumps(asdict(self)) + "\n")


def load_began(directory: Path) -> Began | None:
    """Where a run began; None if its chain never stood. Raises `ToolError` for another file."""
    path = directory / NAME
    try:
        return Began(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ToolError(f"{path} does not say where a run began: {error}") from None
