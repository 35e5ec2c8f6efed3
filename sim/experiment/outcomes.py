"""What comes of work that may fail: one job's error is told of that job and ends no other."""

from collections.abc import Callable
from typing import TypeVar

from sim.facts import TelexError

Result = TypeVar("Result")


def outcome(work: Callable[[], Result]) -> Result | Exception:
    """What work returns, or the error that it raises; only an interruption goes on up."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - whatever it dies of is its outcome
        return error


def in_words(error: Exception) -> str:
    """An error in one line; one that Telex has no words for says its type, too."""
    text = "; ".join(str(error).splitlines())
    return text if isinstance(error, TelexError) else f"{type(error).__name__}: {text}"
