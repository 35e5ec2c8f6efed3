"""Which nodes may be talked to unasked: those of this machine."""

import ipaddress
from urllib.parse import urlsplit

from sim.facts import ToolError


def check_loopback(url: str, allow_remote: bool = False) -> None:
    """Raises `ToolError` unless ``url`` is http(s) and on this machine (or ``allow_remote``)."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or "" if parts.scheme in ("http", "https") and parts.port != 0 else ""
    except ValueError:  # brackets that do not close, a port that is none
        host = ""
    if not host:
        raise ToolError(f"{url} is not the URL of a node: allowed is http://HOST:PORT")
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not (local or allow_remote):
        raise ToolError(
            f"{url} is not on this machine: allowed are 127.0.0.1, ::1 and localhost; "
            "Telex signs with keys that everybody knows, so a remote node must be allowed by name"
        )
