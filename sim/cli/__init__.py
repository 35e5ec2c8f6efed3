"""The command line: the only place that reads arguments or prints.

What a command makes for other programs (``--json``, ``telex list``) goes to stdout, everything for
people to stderr. Exit status: 0 ok, 1 a law or an audit failed, 2 bad input or a missing tool, port
or node, 130 interrupted.
"""

import signal
import sys
import threading
from collections.abc import Sequence

from sim.cli.output import report_error
from sim.facts import TelexError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status. Only what nobody foresaw leaves as a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _heed_interrupts()
    try:
        from sim.cli.commands import app  # half a second of imports, in which Ctrl-C may come, too

        app(args=given, prog_name="telex")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 2
    except TelexError as error:
        return report_error(error, as_json="--json" in given)
    except KeyboardInterrupt:
        return 130
    return 0


def _heed_interrupts() -> None:
    """A shell starts background jobs deaf to SIGINT; an interrupted run must save its record."""
    deaf = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    if deaf and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
