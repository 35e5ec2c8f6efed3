"""The one door to an EVM node: node, deploy, settle, audit.

What needs a chain library is imported when it is first asked for: web3.py takes a second, and a run
without a chain, or one whose settler has a process of its own, need not wait for it.
"""

import importlib
import os
from typing import TYPE_CHECKING

from sim.chain.deployment import Deployment, load_deployment
from sim.chain.settlement import (
    Agent,
    Audit,
    AuditRecord,
    ChainSetup,
    Ready,
    SettledBatch,
    Settlement,
)
from sim.chain.settler import Settler

if TYPE_CHECKING:
    from sim.chain.audits import audit
    from sim.chain.deployer import check_there, deploy
    from sim.chain.node import find_anvil
    from sim.chain.replayer import Replay, replay
    from sim.chain.rpc import Rpc
    from sim.chain.server import Served, serve

__all__ = [
    "Agent",
    "Audit",
    "AuditRecord",
    "ChainSetup",
    "Deployment",
    "Ready",
    "Replay",
    "Rpc",
    "Served",
    "SettledBatch",
    "Settlement",
    "Settler",
    "audit",
    "check_there",
    "deploy",
    "find_anvil",
    "load_deployment",
    "replay",
    "serve",
]

_LATE = {
    "Replay": "replayer",
    "Rpc": "rpc",
    "Served": "server",
    "audit": "audits",
    "check_there": "deployer",
    "deploy": "deployer",
    "find_anvil": "node",
    "replay": "replayer",
    "serve": "server",
}

os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")  # four times as fast as the default


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LATE[name]}"), name)
