"""What a run was asked to do, in its directory while it runs: for one that is killed to go on."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from sim.facts import Fault, ScenarioError
from sim.files import write_whole
from sim.scenario.schema import Scenario

BEGUN: Final = "begun.json"


class Begun(BaseModel):
    """``begun.json``: the scenario, resolved, and the chain; gone once the record is whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenario: Scenario
    chain: str
    deployment: Path | None
    warp: bool

    def save(self, directory: Path) -> None:
        """Writes it, whole or not at all; raises `ToolError` if it cannot be written."""
        write_whole(directory / BEGUN, self.model_dump_json(indent=2) + "\n")


def load_begun(directory: Path) -> Begun | None:
    """What a run that has not ended was asked to do; None where the record is whole.

    Raises `ScenarioError` for a file of another kind.
    """
    try:
        return Begun.model_validate_json((directory / BEGUN).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        needed = "the directory of a run of this version of Telex"
        raise ScenarioError((Fault(str(directory), "a run of another kind", needed),)) from error
