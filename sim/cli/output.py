"""How results and errors are put on stdout and stderr."""

import json
import sys
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from sim.facts import Fault, LawError, ScenarioError, TelexError

if TYPE_CHECKING:
    from rich.console import Console


@cache
def people() -> "Console":
    """Where people read: stderr, in colour and at full width only on a terminal."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """One message for people."""
    people().print(text, markup=False, soft_wrap=True)


def emit(text: str) -> None:
    """A result for other programs, on stdout."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def emit_json(document: object) -> None:
    """One JSON object on stdout."""
    emit(json.dumps(document, indent=2))


def report_error(error: TelexError, as_json: bool) -> int:
    """Shows an error; returns the exit status that goes with it."""
    if as_json:
        faults = error.faults if isinstance(error, ScenarioError) else ()
        document = {"ok": False, "error": _headline(error), "faults": _documents(faults)}
        emit_json(document)
    show_error(error)
    return 1 if isinstance(error, LawError) else 2


def show_error(error: TelexError) -> None:
    """An error for people: a list of faults, or one message."""
    if isinstance(error, ScenarioError):
        show_faults(error.faults)
    else:
        people().print(f"[bold red]error:[/] {_escaped(str(error))}", soft_wrap=True)


def _headline(error: TelexError) -> str:
    if not isinstance(error, ScenarioError):
        return str(error)
    return counted(len(error.faults), "fault")


def _documents(faults: Iterable[Fault]) -> list[dict[str, str]]:
    return [
        {
            "path": fault.path,
            "found": fault.found,
            "allowed": fault.allowed,
            "hint": fault.hint,
            "place": fault.place,
        }
        for fault in faults
    ]


def show_faults(faults: Iterable[Fault]) -> None:
    """A readable list of faults."""
    console = people()
    listed = list(faults)
    console.print(f"[bold red]{counted(len(listed), 'fault')}[/]")
    for fault in listed:
        place = f"  [dim]{_escaped(fault.place)}[/]" if fault.place else ""
        console.print(f"\n[bold]{_escaped(fault.path)}[/]{place}", soft_wrap=True)
        console.print(f"  found    {_escaped(fault.found)}", soft_wrap=True)
        console.print(f"  allowed  {_escaped(fault.allowed)}", soft_wrap=True)
        if fault.hint:
            console.print(f"  [green]{_escaped(fault.hint)}[/]", soft_wrap=True)


def counted(number: int, noun: str) -> str:
    """``1 fault``, ``2 faults``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
