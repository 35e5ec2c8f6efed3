"""Names in a scenario, and the order in which what they name stands."""

from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
Name = Annotated[str, Field(pattern=NAME)]
Entry = TypeVar("Entry")


def in_order(entries: dict[str, Entry]) -> dict[str, Entry]:
    """By name: positions in a scenario, and so its record, do not depend on the order of a file."""
    return dict(sorted(entries.items()))


InOrder = AfterValidator(in_order)
