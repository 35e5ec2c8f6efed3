"""Copy each contract's ABI and bytecode to where sim/chain loads them.

Ours come from Forge's output, Uniswap's from its npm packages.
"""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FORGE_OUT = ROOT / "contracts" / "out"
ARTIFACTS = ROOT / "sim" / "chain" / "artifacts"
CONTRACTS = (
    "CallHub",
    "CallLedger",
    "ERC3009DepositCollector",
    "EpochRoot",
    "IAgentCallback",
    "JobEscrow",
    "MACHINA",
    "Multicall3",
    "Permit2DepositCollector",
    "Port",
    "USDC",
    "VoucherChannels",
)
# Where Forge puts a contract that is not alone in its file.
FILES = {"IAgentCallback": "IPort"}
UNISWAP = ROOT / "node_modules" / "@uniswap"
PACKAGED = {
    "NonfungiblePositionManager": UNISWAP / "v3-periphery",
    "SwapRouter": UNISWAP / "v3-periphery",
    "UniswapV3Factory": UNISWAP / "v3-core",
    "UniswapV3Pool": UNISWAP / "v3-core",
}


def text(abi: object, bytecode: object, runtime_bytecode: object) -> str:
    """An artifact: abi, bytecode (creation), runtime_bytecode."""
    kept = {"abi": abi, "bytecode": bytecode, "runtime_bytecode": runtime_bytecode}
    return json.dumps(kept, indent=1, sort_keys=True) + "\n"


def artifact(contract: str) -> str:
    """One contract as JSON.

    FileNotFoundError if Forge has not built it, or npm not installed it.
    """
    if contract in PACKAGED:
        path = PACKAGED[contract] / "artifacts" / "contracts" / f"{contract}.sol"
        packaged = json.loads((path / f"{contract}.json").read_text())
        return text(packaged["abi"], packaged["bytecode"], packaged["deployedBytecode"])
    path = FORGE_OUT / f"{FILES.get(contract, contract)}.sol" / f"{contract}.json"
    built = json.loads(path.read_text())
    return text(built["abi"], built["bytecode"]["object"], built["deployedBytecode"]["object"])


def write_artifacts() -> None:
    """Write every artifact that is missing or old; leave the others, and their times, alone."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for contract in (*CONTRACTS, *PACKAGED):
        path, new = ARTIFACTS / f"{contract}.json", artifact(contract)
        if not path.exists() or path.read_text() != new:
            path.write_text(new)


if __name__ == "__main__":
    write_artifacts()
