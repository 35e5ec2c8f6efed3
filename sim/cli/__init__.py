"""The command line: the only place that reads arguments or prints.

What a command makes for other programs (``--json``, ``telex list``) goes to stdout, everything for
people to stderr. Exit status: 0 ok, 1 a law or an audit failed, 2 bad input or a missing tool, port
or node, 130 interrupted.
"""

import os
import signal
import sys

TYPE_CHECKING = False  # typing itself takes a while to import, in which Ctrl-C may come
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    Handler = Callable[[int, FrameType | None], object] | int | None

__all__ = ["main"]

INTERRUPTED = 130


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Runs one command; returns its exit status. Only what nobody foresaw leaves as a traceback."""
    heeds = _on_interrupt(_leave)  # half a second of imports, which an interrupt could only break
    from sim.cli.commands import app
    from sim.cli.output import report_error
    from sim.facts import TelexError

    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _on_interrupt(heeds)
        app(args=given, prog_name="telex")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 2
    except TelexError as error:
        return report_error(error, as_json="--json" in given)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _on_interrupt(handler: "Handler") -> "Handler":
    """Lets SIGINT call a handler, in the main thread; returns the one before.

    A shell starts background jobs deaf to SIGINT, but an interrupted run must save its record.
    """
    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, handler)
    except ValueError:  # another thread
        return before
    return signal.default_int_handler if before == signal.SIG_IGN else before


def _leave(_: int, __: "FrameType | None") -> None:
    """While nothing is under way: the end, at once."""
    os._exit(INTERRUPTED)
