"""The project's shape, held by a test: layers, library doors, sizes, first sentences, leftovers."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Lowest first. A module imports only from lines above its own, and within its line only leftwards.
LAYERS = """
units facts files chance parameters intents clock graphs
arrivals latencies mechanisms strategies costs routers validators rails protocols
scenario
record ledger
agents models
clearing protocol market
chain
world
authority
recording metrics laws
auditing
runner
explaining experiment report replay calibration ladder
verify
__init__
cli __main__
"""
DOORS = {
    "simpy": "clock agents models protocol market world",
    "web3": "chain",
    "eth_account": "chain",
    "ruamel": "scenario",
    "yaml": "scenario",
    "networkx": "graphs",
    "scipy": "experiment replay calibration verify",
    "optuna": "experiment",
    "SALib": "experiment",
    "distributed": "experiment",
    "plotly": "replay report",
    "argparse": "cli",
    "typer": "cli",
}
LINES_PER_FILE, LINES_PER_FUNCTION = 300, 40
LEFTOVERS = re.compile(r"\b(?:T[O]DO|F[I]XME|X[X]X)\b|/(?:home|root|Users|work)/\w")
UNEXPLAINED = re.compile(r"# (?:noqa|type: ignore)\b(?!:? ?\[?[\w, -]+\]? (?:-| #) \w)")
TEXT = {"", ".json", ".lock", ".md", ".py", ".sol", ".toml", ".yaml", ".yml"}
BUILT = {"__pycache__", "artifacts", "broadcast", "cache", "node_modules", "out"}

PLACES = [line.split() for line in LAYERS.split("\n")]
PLACE = {name: (row, at) for row, names in enumerate(PLACES) for at, name in enumerate(names)}
Faults = Iterator[str]


def module_of(path: str) -> str:
    """The name in LAYERS of a file such as ``sim/chain/node.py``."""
    return path.removeprefix("sim/").removesuffix(".py").split("/")[0]


def imports(path: str, tree: ast.Module) -> Iterator[list[str]]:
    """Every dotted name that the file imports, split at the dots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.split("/")[: -node.level] if node.level else []
            base = [*package, *(node.module or "").split(".")] if node.module else package
            yield from ([*base, alias.name] for alias in node.names)


def layers(path: str, source: str) -> Faults:
    own = module_of(path)
    if own not in PLACE:
        yield f"{path}: found module {own}, allowed: one named in LAYERS"
        return
    row, at = PLACE[own]
    allowed = {own, *(name for name, (r, a) in PLACE.items() if r < row or (r == row and a < at))}
    for package, *names in imports(path, ast.parse(source)):
        other = names[0] if (names and names[0] in PLACE) or names[1:] else "__init__"
        if package == "sim" and other not in allowed:
            yield f"{path}: found import of sim.{other}, allowed: {' '.join(sorted(allowed))}"


def doors(path: str, source: str) -> Faults:
    own, tree = module_of(path), ast.parse(source)
    for library in {name[0] for name in imports(path, tree)}:
        if own not in (allowed := DOORS.get(library, own)).split():
            yield f"{path}: found import of {library}, allowed in: {allowed}"
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)]
    for node in names:
        if (found := ast.unparse(node)) in {"print", "sys.argv"} and own != "cli":
            yield f"{path}:{node.lineno}: found {found}, allowed in: cli"


def opening(path: str, source: str) -> Faults:
    first = (ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0]
    if not first.endswith(".") or ". " in first.replace("e.g. ", ""):
        yield f"{path}: found opening {first!r}, allowed: a docstring that opens with one sentence"


def file_size(path: str, source: str) -> Faults:
    if (lines := len(source.splitlines())) > LINES_PER_FILE:
        yield f"{path}: found {lines} lines, allowed: {LINES_PER_FILE}"


def function_size(path: str, source: str) -> Faults:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LINES_PER_FUNCTION:
                where = f"{path}:{node.lineno}: {node.name}"
                yield f"{where}: found {lines} lines, allowed: {LINES_PER_FUNCTION}"


def leftovers(path: str, source: str) -> Faults:
    for number, line in enumerate(source.splitlines(), 1):
        if found := LEFTOVERS.search(line):
            yield f"{path}:{number}: found {found[0]}, allowed: no open ends, no machine's paths"


def closed(path: str, source: str) -> Faults:
    """Ways to a node end with the block that opened them, or are handed to one that does."""
    tree = ast.parse(source)
    opened = {node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    opened = {node for node in opened if ast.unparse(node.func) == "Rpc"}
    for node in ast.walk(tree):
        if isinstance(node, ast.With):
            opened -= {item.context_expr for item in node.items}
        elif isinstance(node, ast.Return):
            opened -= {node.value}
    for node in opened:
        yield f"{path}:{node.lineno}: found Rpc(...) left open, allowed: with Rpc(...) as rpc"


def marks(path: str, source: str) -> Faults:
    for number, line in enumerate(source.splitlines(), 1):
        if found := UNEXPLAINED.search(line):
            yield f"{path}:{number}: found {found[0]!r} alone, allowed: with its reason behind it"


def files(*patterns: str) -> Iterator[tuple[str, str]]:
    """The path from the root and the text of each of the project's own files."""
    for file in sorted(path for pattern in patterns for path in ROOT.glob(pattern)):
        path = file.relative_to(ROOT)
        hidden = path.name.startswith(".") or BUILT & set(path.parts)
        if file.is_file() and path.suffix in TEXT and not hidden:
            yield path.as_posix(), file.read_text()


PYTHON = ["sim/**/*.py", "tests/**/*.py", "benchmarks/**/*.py"]
SOLIDITY = ["contracts/src/**/*.sol", "contracts/test/**/*.sol"]
FOLDERS = ["sim", "tests", "benchmarks", "contracts", "scenarios", "docs"]
ALL = ["*", ".ci/*", *(f"{folder}/**/*" for folder in FOLDERS)]
RULES = [
    (layers, ["sim/**/*.py"]),
    (doors, ["sim/**/*.py"]),
    (opening, ["sim/**/*.py"]),
    (file_size, [*PYTHON, *SOLIDITY]),
    (function_size, PYTHON),
    (leftovers, ALL),
    (marks, PYTHON),
    (closed, ["sim/**/*.py", "benchmarks/**/*.py"]),
]
BREACHES = [
    (layers, "sim/units.py", "import sim.facts"),
    (layers, "sim/facts.py", "from sim.chance import stream"),
    (layers, "sim/chain/node.py", "from sim import world"),
    (layers, "sim/chain/node.py", "from ..world import World"),
    (layers, "sim/market.py", "from sim import run"),
    (layers, "sim/stray.py", "import os"),
    (doors, "sim/ledger.py", "import web3.types"),
    (doors, "sim/world.py", "from ruamel.yaml import YAML"),
    (doors, "sim/market.py", "print(1)"),
    (doors, "sim/world.py", "import sys\nprint_all = sys.argv"),
    (opening, "sim/units.py", "X = 1"),
    (opening, "sim/units.py", '"""No full stop"""'),
    (opening, "sim/units.py", '"""Two. Sentences."""'),
    (file_size, "sim/units.py", "x\n" * 301),
    (function_size, "sim/units.py", "class A:\n    def f(self):\n" + "        x = 1\n" * 40),
    (leftovers, "README.md", "todo: write".upper()),
    (closed, "sim/chain/child.py", "rpc = Rpc(url)"),
    (marks, "sim/units.py", "x = 1  # " + "noqa: " + "A001"),
    (marks, "sim/units.py", "x = 1  # type: " + "ignore[misc]"),
    (marks, "sim/units.py", "x = 1  # type: " + "ignore"),
    (leftovers, "README.md", "see /{}/me".format("home")),
]
SOUND = [
    (layers, "sim/chain/node.py", "import os\nfrom sim.facts import A\nimport sim.chain.deploy"),
    (layers, "sim/cli.py", "from sim import run, world"),
    (doors, "sim/chain/node.py", "import web3"),
    (doors, "sim/cli.py", "print(1)"),
    (opening, "sim/units.py", '"""One sentence, at length.\n\nAnd more. And more."""'),
    (file_size, "sim/units.py", "x\n" * 300),
    (closed, "sim/chain/child.py", "with Node() as node, Rpc(node.url) as rpc:\n    pass"),
    (closed, "sim/chain/child.py", "def way():\n    return Rpc(url)"),
    (marks, "sim/units.py", "x = 1  # " + "noqa: " + "A001 - the interface's name"),
    (marks, "sim/units.py", "x = 1  # type: " + "ignore[misc, arg-type]  # it has no types"),
    (function_size, "sim/units.py", "def f():\n" + "    x = 1\n" * 39),
]
Rule = Callable[[str, str], Faults]


@pytest.mark.parametrize(("rule", "patterns"), RULES)
def test_every_file_keeps(rule: Rule, patterns: list[str]) -> None:
    read = list(files(*patterns))
    faults = [fault for path, text in read for fault in rule(path, text)]
    assert read
    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.parametrize(("rule", "path", "source"), BREACHES)
def test_a_breach_is_found(rule: Rule, path: str, source: str) -> None:
    assert list(rule(path, source))


@pytest.mark.parametrize(("rule", "path", "source"), SOUND)
def test_sound_code_passes(rule: Rule, path: str, source: str) -> None:
    assert not list(rule(path, source))
