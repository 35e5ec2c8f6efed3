"""Proofs that an audit exports, checked by OpenZeppelin's own JavaScript library."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sim.chain.proofs import save_proofs
from sim.cli import main
from sim.facts import ToolError
from sim.rails import ACCOUNT_RAILS, RAILS

ROOT = Path(__file__).parents[1]
PROOFS = 40
# For each call: is its proof right, and is it wrong for each of its fields turned into another.
SCRIPT = """
const { StandardMerkleTree } = require("@openzeppelin/merkle-tree");
const file = JSON.parse(require("fs").readFileSync(process.argv[1]));
const verify = (call, leaf) =>
  StandardMerkleTree.verify(call.root, file.leafEncoding, leaf, call.proof);
const other = (field) =>
  field.startsWith("0x") ? "0x" + "12".repeat(32) : String(BigInt(field) + 1n);
const answers = file.calls.map((call) => [
  verify(call, call.leaf),
  ...call.leaf.map((field, at) => verify(call, call.leaf.with(at, other(field)))),
]);
process.stdout.write(JSON.stringify(answers));
"""

pytestmark = pytest.mark.chain


def run_node(*arguments: str) -> str:
    """What a program prints on Node: the machine's, or the one installed beside Python."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    node = shutil.which("node", path=path)
    assert node is not None, "no Node: `make setup` installs one"
    done = subprocess.run(
        [node, "-e", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_exported_proofs_verify_with_openzeppelins_library(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    tasks = ["--set", "tasks=400", "--set", "rail.size=150"]
    assert main(["run", "hello-market", *tasks, "--out", str(run), "--json"]) == 0
    settled = json.loads(capsys.readouterr().out)["chain"]["calls_settled"]
    assert main(["audit", str(run), "--proofs", str(PROOFS), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["proofs"], summary["proofs_file"]) == (PROOFS, str(run / "proofs.json"))
    file = json.loads((run / "proofs.json").read_text())
    ids = {int(call["leaf"][0]) for call in file["calls"]}
    assert len(ids) == PROOFS
    assert ids < set(range(settled))
    assert len({call["root"] for call in file["calls"]}) > 1
    answers = json.loads(run_node(SCRIPT, str(run / "proofs.json")))
    assert answers == [[True, *[False] * len(file["leafFields"])]] * PROOFS


def test_more_proofs_than_calls_are_all_calls(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert main(["run", "hello-market", "--set", "tasks=3", "--out", str(run), "--json"]) == 0
    settled = json.loads(capsys.readouterr().out)["chain"]["calls_settled"]
    assert main(["audit", str(run), "--proofs", "1000", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["proofs"] == settled > 0


@pytest.mark.parametrize("kind", sorted(RAILS.keys() - set(ACCOUNT_RAILS)))
def test_a_rail_without_proofs_says_so_and_writes_none(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, rail = tmp_path / "run", f"rail.kind={kind}"
    few = ["--set", rail, "--set", "tasks=3"]
    assert main(["run", "hello-market", *few, "--out", str(run), "--json"]) == 0
    capsys.readouterr()
    assert main(["audit", str(run), "--proofs", "4"]) == 2
    said = capsys.readouterr().err
    assert f"{kind}, which keeps no proofs" in said
    assert "prepaid, batch, epoch-root" in said
    assert not (run / "proofs.json").exists()


def test_proofs_that_cannot_be_written_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot be written"):
        save_proofs(tmp_path / "missing" / "proofs.json", 1, "0x", [])
