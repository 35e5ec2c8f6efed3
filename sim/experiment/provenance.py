"""Which code makes a row: rows of other code must not stand in one table."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

from sim.record.archive import versions

PACKAGE = Path(__file__).resolve().parents[1]
WITHOUT_INFLUENCE = ("chain", "cli", "report")


@cache
def code_version() -> str:
    """Telex's version, then 12 hex digits over its sources and the libraries that shape a record.

    Sources of parts that cannot change a row (command line, chain, report) are left out.
    """
    digest = hashlib.sha256(repr(sorted(versions().items())).encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE)
        if name.parts[0] not in WITHOUT_INFLUENCE:
            digest.update(name.as_posix().encode() + b"\0" + path.read_bytes())
    return f"{version('telex')}+{digest.hexdigest()[:12]}"
