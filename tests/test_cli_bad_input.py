"""What people type by mistake: told in a line or two, at once, with nothing left behind."""

from pathlib import Path

import pytest

from sim.chain import Rpc
from sim.cli import main
from sim.scenario.schema import Scenario
from tests.chain_helpers import anvil

Captured = pytest.CaptureFixture[str]
SMALL = ["hello-market", "--set", "tasks=5", "--chain", "none"]
LONG = "a" * 300


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", ["audit", "resume", "report", "explain"])
@pytest.mark.parametrize("name", [LONG, "x" * 5000, "nothing", "file", "."])
def test_what_is_no_run_is_said_to_be_none(command: str, name: str, capsys: Captured) -> None:
    Path("file").write_bytes(b"\x00\xff")
    call = ["--call", "0"] if command == "explain" else []
    assert main([command, name, *call]) == 2
    assert "found    no record" in capsys.readouterr().err or command == "resume"


@pytest.mark.parametrize("name", ["", ".", "..", "/", "folder/", ".yaml", "folder/.yml"])
def test_a_scenario_without_a_name_is_not_written(name: str, capsys: Captured) -> None:
    Path("folder").mkdir()
    assert main(["init", name]) == 2
    assert "names no file" in capsys.readouterr().err
    assert [path.name for path in Path().rglob("*")] == ["folder"]


@pytest.mark.parametrize(
    "setting",
    ["groups.people.arrival.per_hour=1e308", "rail.interval_s=9223372036854775808",
     "groups.people.arrival={kind: gamma, per_hour: 1, cv: 5e-324}", "validators.noise=1e12"],
)  # fmt: skip
def test_a_number_that_nothing_could_be_counted_by_is_a_fault(
    setting: str, capsys: Captured
) -> None:
    assert main(["run", *SMALL, "--set", setting]) == 2
    err = capsys.readouterr().err
    assert "1 fault" in err
    assert "below 1000000000000" in err


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999", "http://[::1", "http://localhost:-1", "http://localhost:x",
            "http://127.0.0.1:0"],
)  # fmt: skip
@pytest.mark.parametrize("command", [["run", "hello-market", "--chain"], ["deploy", "--rpc"]])
def test_what_is_no_url_is_said_to_be_none(command: list[str], url: str, capsys: Captured) -> None:
    assert main([*command, url]) == 2
    assert f"{url} is not the URL of a node" in capsys.readouterr().err


@pytest.mark.chain
@pytest.mark.parametrize("out", ["", "folder", "nowhere/x.json", LONG, "/proc/x.json"])
def test_nothing_is_deployed_whose_addresses_could_not_be_saved(out: str, capsys: Captured) -> None:
    Path("folder").mkdir()
    with anvil() as url, Rpc(url) as rpc:
        assert main(["deploy", "--rpc", url, "--out", out]) == 2
        assert "cannot be written" in capsys.readouterr().err
        assert rpc.quantity("eth_blockNumber") == 0
        assert main(["deploy", "--rpc", url, "--out", "folder/mine.json"]) == 0
    assert [path.name for path in Path("folder").iterdir()] == ["mine.json"]


@pytest.mark.parametrize("text", ["{", "[1]", "null", '{"chain_id": 1}', "\xff", "[" * 10_000])
def test_what_is_no_file_of_a_node_is_said_to_be_none(text: str, capsys: Captured) -> None:
    Path("node.json").write_text(text)
    assert main(["node", "--attach", "node.json", "--serve-jobs", "hello-market"]) == 2
    err = capsys.readouterr().err
    assert "the file of a node, as telex node writes it" in err
    assert "chain_id" not in err or "found    nothing" in err


def test_an_output_directory_whose_name_is_too_long_is_refused(capsys: Captured) -> None:
    assert main(["run", *SMALL, "--out", LONG]) == 2
    assert main(["run", *SMALL, "--reps", "2", "--out", LONG]) == 2
    assert capsys.readouterr().err.count("File name too long") == 2


def _unlimited(part: object, path: str) -> list[str]:
    """Where a schema lets a number be as large as it will."""
    if isinstance(part, list):
        return [name for each in part for name in _unlimited(each, path)]
    if not isinstance(part, dict):
        return []
    limits = {"maximum", "exclusiveMaximum", "const", "enum"}
    here = [path] if part.get("type") in ("number", "integer") and not limits & set(part) else []
    return here + [name for key, each in part.items() for name in _unlimited(each, f"{path}.{key}")]


def test_every_number_of_a_scenario_has_a_limit() -> None:
    """But for what a router of the user's own is given, which means what that says."""
    schema = Scenario.model_json_schema()
    found = _unlimited(schema, "")
    assert found
    assert all(name.startswith(".$defs.Python.properties.parameters") for name in found)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--chain", "none", "--warp"], "only the clock of a node that runs"),
        (["--chain", "anvil", "--warp"], "only the clock of a node that runs"),
        (["--chain", "none", "--deployment", "d.json"], "a deployment is on a chain that runs"),
        (["--of", "success_rate"], "add --reps or --precision"),
        (["--warm-up", "1"], "add --reps or --precision"),
        (["--workers", "2"], "add --reps or --precision"),
        (["--reps", "2", "--warp"], "run without a chain"),
        (["--reps", "2", "--allow-remote"], "run without a chain"),
        (["--reps", "2", "--of", "sucess_rate"], "did you mean success_rate?"),
        (["--precision", "nan"], "above 0 and below 1"),
        (["--precision", "x"], "a share"),
        (["--precision", "2%", "--of", "nothing"], "a metric of this scenario"),
    ],
)
def test_options_that_could_not_be_followed_are_not_ignored(
    options: list[str], words: str, capsys: Captured
) -> None:
    assert main(["run", "hello-market", "--set", "tasks=5", *options]) == 2
    assert words in capsys.readouterr().err
    assert not list(Path().iterdir())


def test_replications_show_the_metrics_that_are_meant(capsys: Captured) -> None:
    asked = ["--reps", "2", "--workers", "1", "--of", "success_rate", "--out", "out"]
    assert main(["run", *SMALL, *asked]) == 0
    err = capsys.readouterr().err
    assert "success_rate" in err
    assert "spend" not in err
