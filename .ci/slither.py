"""Run Slither over the contracts, and fail for whatever nobody has explained.

Slither has an environment of its own, build/slither, because it needs another web3.py than Telex.
It builds beside ours, so that nothing is compiled anew here. A detector that is left out has its
reason in slither.config.json, a marked line has it behind the mark.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONTRACTS, HOME = ROOT / "contracts", ROOT / "build" / "slither"
CONFIG = CONTRACTS / "slither.config.json"
MARK = re.compile(r"slither-disable\S*\s*(?P<detectors>[\w,-]*)\s*(?P<reason>-- \S.*)?")
# Slither cannot follow OpenZeppelin's TransientSlot, a library over types of its own, into the
# three functions behind `nonReentrant`; everything that is guarded by them it does analyse.
KNOWN = re.compile(
    r"ERROR:ContractSolcParsing:Impossible to generate IR for \w+"
    r"\.(_nonReentrantBefore|_nonReentrantAfter|_reentrancyGuardEntered) "
    r"\(node_modules/@openzeppelin/contracts/utils/ReentrancyGuardTransient\.sol#[\d-]+\):\n"
    r" 'NoneType' object has no attribute 'parameters'\n"
)


def unexplained() -> list[str]:
    """What is left out, or marked, without a reason."""
    config = json.loads(CONFIG.read_text())
    left_out, reasons = config["detectors_to_exclude"].split(","), config["reasons"]
    faults = [f"{CONFIG.name}: no reason for {name}" for name in left_out if name not in reasons]
    faults += [f"{CONFIG.name}: {name} is not left out" for name in reasons if name not in left_out]
    for path in sorted(CONTRACTS.glob("src/**/*.sol")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = MARK.search(line)
            if found and not (found["detectors"] and found["reason"]):
                faults.append(f"{path.name}:{number}: a mark without detector and reason")
    return faults


def run() -> tuple[int, str]:
    """Slither's exit status, and what it says beyond what is known."""
    forge = next((ROOT / "node_modules" / "@foundry-rs").glob("forge-*/bin"))
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(forge), os.environ["PATH"]]),
        "FOUNDRY_OUT": str(HOME / "out"),
        "FOUNDRY_CACHE_PATH": str(HOME / "cache"),
    }
    done = subprocess.run(
        [str(HOME / "bin" / "slither"), ".", "--config-file", CONFIG.name],
        cwd=CONTRACTS, env=environment, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, KNOWN.sub("", done.stdout)


def main() -> int:
    """0 if there is nothing to explain; else says what, and 1."""
    faults = unexplained()
    status, said = run()
    if faults or status or "ERROR" in said or "0 result(s) found" not in said:
        sys.stderr.write("\n".join([*faults, said]))
        return 1
    sys.stdout.write(f"slither: {said.strip().splitlines()[-1].partition('. ')[2]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
