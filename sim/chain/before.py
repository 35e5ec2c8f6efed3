"""What was on a node of somebody else's before a run's money came, so that none comes twice."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from sim.facts import ToolError
from sim.files import write_whole

NAME: Final = "funding.json"


class Before(BaseModel):
    """``funding.json``, there from when agents begin to get their money until all have it.

    Args:
        first_block: the run's first. wallets: USDC in each agent's own wallet, in micros.
        balances: in each agent's account, in micros; none where the rail keeps no accounts.
        nonces: of each account's next mandate. earned: by each model, in micros.
        fees_micros: the treasury's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_block: int
    wallets: tuple[int, ...]
    balances: tuple[int, ...] = ()
    nonces: tuple[int, ...] = ()
    earned: tuple[int, ...]
    fees_micros: int

    def save(self, directory: Path) -> None:
        """Writes it, whole or not at all; raises `ToolError` if it cannot be written."""
        write_whole(directory / NAME, self.model_dump_json() + "\n")


def before(directory: Path | None, found: Before) -> Before:
    """What was there before the money: as a try that broke off found it, else as ``found`` now.

    That is kept in a directory, where one is given, until `forget`. Raises `ToolError` if it
    cannot be.
    """
    if directory is None:
        return found
    known = load_before(directory)
    if known is None:
        found.save(directory)
    return known or found


def forget(directory: Path) -> None:
    """All have their money now."""
    (directory / NAME).unlink(missing_ok=True)


def how_on(directory: Path) -> str:
    """What to add to an error, should it have broken a funding off."""
    if not (directory / NAME).exists():
        return ""
    return f"; some agents may have their money by now: telex resume {directory} gives the rest"


def load_before(directory: Path) -> Before | None:
    """What was there before a funding that broke off; None if none did.

    Raises `ToolError` for another file.
    """
    path = directory / NAME
    try:
        return Before.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise ToolError(f"{path} does not say what was there before: {error}") from None
