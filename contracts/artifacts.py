"""Copy each contract's ABI and bytecode from Forge's output to where sim/chain loads them."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FORGE_OUT = ROOT / "contracts" / "out"
ARTIFACTS = ROOT / "sim" / "chain" / "artifacts"
CONTRACTS = ("CallLedger", "USDC")


def artifact(contract: str) -> str:
    """One contract as JSON: abi, bytecode (creation), runtime_bytecode.

    FileNotFoundError if Forge has not built it.
    """
    built = json.loads((FORGE_OUT / f"{contract}.sol" / f"{contract}.json").read_text())
    kept = {
        "abi": built["abi"],
        "bytecode": built["bytecode"]["object"],
        "runtime_bytecode": built["deployedBytecode"]["object"],
    }
    return json.dumps(kept, indent=1, sort_keys=True) + "\n"


def write_artifacts() -> None:
    """Write every artifact that is missing or old; leave the others, and their times, alone."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for contract in CONTRACTS:
        path, text = ARTIFACTS / f"{contract}.json", artifact(contract)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


if __name__ == "__main__":
    write_artifacts()
