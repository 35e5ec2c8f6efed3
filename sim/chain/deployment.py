"""Where contracts are on a chain: the content of deployment.json."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from sim.facts import ToolError
from sim.files import write_whole

NAME = "deployment.json"
OTHER_RAILS = ("call_hub", "job_escrow", "epoch_root")
TELEGRAPH = ("machina", "port", "swap_router", "uniswap_pool")


@dataclass(frozen=True, slots=True)
class Deployment:
    """Contracts on a chain, with the keys of deployment.json; addresses with checksum.

    Those of the rails beside ``batch`` and ``prepaid`` are empty where they are not.
    """

    chain_id: int
    usdc: str
    call_ledger: str
    router: str
    treasury: str
    fee_bps: int
    deploy_block: int
    call_hub: str = ""
    job_escrow: str = ""
    epoch_root: str = ""
    machina: str = ""
    port: str = ""
    swap_router: str = ""
    uniswap_pool: str = ""

    def fields(self) -> dict[str, str | int]:
        """The content of deployment.json: contracts that are not there are left out."""
        return {name: value for name, value in asdict(self).items() if value != ""}

    def without_telegraph(self) -> Self:
        """The same, less what a protocol's acts have deployed."""
        return replace(self, machina="", port="", swap_router="", uniswap_pool="")

    def save(self, path: Path) -> None:
        """Writes deployment.json, whole or not at all; raises `ToolError` if it cannot."""
        write_whole(path, json.dumps(self.fields(), indent=2) + "\n")


def load_deployment(path: Path) -> Deployment:
    """Reads deployment.json; raises `ToolError` that names what is missing or of a wrong kind."""
    try:
        found: object = json.loads(path.read_text())
    except OSError as error:
        raise ToolError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ToolError(f"{path} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise ToolError(f"{path}: found {type(found).__name__}, needed an object")

    def number(name: str) -> int:
        value: object = found.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ToolError(f"{path}: {name} is {value!r}, needed a whole number")
        return value

    def place(name: str) -> str:
        value: object = found.get(name)
        if not isinstance(value, str) or len(value) != 42 or not value.startswith("0x"):
            raise ToolError(f"{path}: {name} is {value!r}, needed an address")
        return value

    rest = {name: place(name) for name in (*OTHER_RAILS, *TELEGRAPH) if found.get(name)}
    return Deployment(
        chain_id=number("chain_id"),
        usdc=place("usdc"),
        call_ledger=place("call_ledger"),
        router=place("router"),
        treasury=place("treasury"),
        fee_bps=number("fee_bps"),
        deploy_block=number("deploy_block"),
        **rest,
    )
