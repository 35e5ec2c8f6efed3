"""The command line: what goes to stdout, what to stderr, and the exit status."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sim import runner
from sim.cli import main
from sim.cli.listing import KINDS
from sim.facts import LawError

SMALL = ["run", "hello-market", "--chain", "none", "--set", "tasks=60"]
TELEX = [sys.executable, "-m", "sim"]
SUMMARY = {
    "scenario", "seed", "digest", "duration_us", "tasks", "calls", "success_rate",
    "cost_per_success_micros", "spend_micros", "tokens", "latency_us", "models", "groups",
    "market", "chain", "laws", "timing",
}  # fmt: skip
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def test_json_of_a_run_is_one_object_on_stdout_and_the_tables_are_on_stderr(capsys: Captured):
    assert main([*SMALL, "--json"]) == 0
    out, err = capsys.readouterr()
    summary = json.loads(out)
    assert set(summary) >= SUMMARY
    assert summary["tasks"]["posted"] == 60
    for title in ("Models", "Agents", "Market", "Chain", "Laws"):
        assert title in err


def test_without_json_a_run_leaves_stdout_empty_and_its_tables_fit_80_columns(capsys: Captured):
    assert main(SMALL) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "frontier" in err
    assert "…" not in err
    assert "[/]" not in err  # no markup is left standing
    assert max(map(len, err.splitlines())) <= 80


def test_a_run_takes_the_first_free_directory(capsys: Captured):
    for number in (1, 2):
        assert main([*SMALL, "--seed", "5"]) == 0
        assert Path(f"runs/hello-market-5-{number}/summary.json").is_file()
    assert "runs/hello-market-5-2" in capsys.readouterr().err


def test_the_same_seed_gives_the_same_digest_and_another_seed_another(capsys: Captured):
    digests = []
    for seed in ("5", "5", "6"):
        main([*SMALL, "--seed", seed, "--json"])
        digests.append(json.loads(capsys.readouterr().out)["digest"])
    assert digests[0] == digests[1] != digests[2]


def test_an_output_directory_in_use_is_refused_and_left_alone(capsys: Captured):
    kept = Path("mine/kept.txt")
    kept.parent.mkdir()
    kept.write_text("mine")
    assert main([*SMALL, "--out", "mine"]) == 2
    assert "not empty" in capsys.readouterr().err
    assert list(Path("mine").iterdir()) == [kept]


def test_an_empty_output_directory_is_used():
    Path("mine").mkdir()
    assert main([*SMALL, "--out", "mine"]) == 0
    assert Path("mine/manifest.json").is_file()


def test_faults_are_listed_for_people_and_leave_no_directory(capsys: Captured):
    assert main([*SMALL, "--set", "router.kind=chepest", "--set", "modles.x=1"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "2 faults" in err
    assert "did you mean cheapest?" in err
    assert "Traceback" not in err
    assert not Path("runs").exists()


def test_faults_with_json_are_one_object_on_stdout(capsys: Captured):
    assert main(["validate", "hello-market", "--set", "router.kind=chepest", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert not document["ok"]
    assert document["faults"][0]["path"] == "router.kind"
    assert document["faults"][0]["hint"] == "did you mean cheapest?"


def test_a_good_scenario_is_called_good(capsys: Captured):
    assert main(["validate", "hello-market", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["ok"]
    assert "no faults" in err


def test_brackets_in_a_fault_are_shown_as_they_are(capsys: Captured):
    main(["validate", "hello-market", "--set", "router.shares_percent=[[bold], [/]]"])
    assert "[[bold], [/]]" in capsys.readouterr().err.replace("'", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["rnu"],
        ["run", "nowhere.yaml"],
        ["run", "."],
        ["run", "hello-market", "--seed", "x"],
        ["run", "hello-market", "--seed", "-1"],
        ["run", "hello-market", "--set", "nonsense"],
        ["run", "hello-market", "--chain", "somewhere"],
        ["run", "hello-market", "--chain", "http://192.0.2.1:8545"],
        ["run", "hello-market", "--chain", "http://127.0.0.1:9"],
        ["list", "nothing"],
        ["init", "x", "--preset", "nothing"],
        ["init", "no/such/folder/x"],
        ["audit", "nowhere"],
        ["deploy", "--rpc", "http://127.0.0.1:9"],
        ["deploy", "--rpc", "http://192.0.2.1:8545"],
    ],
)
def test_bad_input_ends_with_2_and_no_traceback(arguments: list[str], capsys: Captured):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err
    assert "Traceback" not in err


def test_a_missing_anvil_ends_with_2_and_says_what_gets_it(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TELEX_ANVIL", "/no/such/anvil")
    assert main(["run", "hello-market", "--set", "tasks=5"]) == 2
    assert "TELEX_ANVIL" in capsys.readouterr().err


def test_an_occupied_port_ends_with_2(capsys: Captured):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["node", "--port", str(taken.getsockname()[1])]) == 2
    assert "occupied" in capsys.readouterr().err


def test_a_broken_law_ends_with_1(capsys: Captured, monkeypatch: pytest.MonkeyPatch):
    def broken(*_args: object, **_named: object) -> runner.Run:
        raise LawError("conservation", "3", "2")

    monkeypatch.setattr(runner, "run", broken)
    assert main([*SMALL, "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["error"] == "law conservation: found 3, needed 2"
    assert "conservation" in err


def test_what_nobody_foresaw_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch):
    def broken(*_args: object, **_named: object) -> runner.Run:
        raise ZeroDivisionError

    monkeypatch.setattr(runner, "run", broken)
    with pytest.raises(ZeroDivisionError):
        main(SMALL)


def test_an_interrupt_ends_with_130_and_the_record_so_far():
    asked = ["run", "hello-market", "--chain", "none", "--set", "tasks=1000000", "--out", "cut"]
    with subprocess.Popen([*TELEX, *asked], stderr=subprocess.PIPE, text=True) as process:
        while not Path("cut").exists() and process.poll() is None:
            time.sleep(0.05)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert json.loads(Path("cut/summary.json").read_text())["calls"]["in_flight"] >= 0


def test_an_audit_of_a_run_without_a_chain_is_refused(capsys: Captured):
    main([*SMALL, "--out", "mine"])
    assert main(["audit", "mine"]) == 2
    assert "without a chain" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "schema"])
def test_every_kind_is_listed_with_a_line_each(kind: str, capsys: Captured):
    assert main(["list", kind, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["kind"] == kind
    assert listed["items"]
    assert all(item["name"] and item["description"] for item in listed["items"])
    assert main(["list", kind]) == 0
    out = capsys.readouterr().out
    assert all(item["name"] in out for item in listed["items"])


def test_scenarios_are_listed_as_a_question_what_to_expect_and_commands(capsys: Captured):
    assert main(["list", "scenarios", "--json"]) == 0
    listed = {item["name"]: item for item in json.loads(capsys.readouterr().out)["items"]}
    assert all(item["description"].count("Expect") == 0 for item in listed.values())
    assert all(item["expected"].startswith("Expect:") for item in listed.values())
    outage = listed["outage-and-failover"]
    assert outage["description"].endswith("merely slow?")
    assert main(["list", "scenarios"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    at = lines.index(f"outage-and-failover   {outage['description']}")
    below, many = lines[at + 1 : lines.index("", at)], len(outage["commands"])
    assert below[-many:] == outage["commands"]
    assert " ".join(below[:-many]) == outage["expected"]


def test_list_alone_names_the_kinds(capsys: Captured):
    assert main(["list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(KINDS)


def test_list_schema_writes_a_json_schema(capsys: Captured):
    assert main(["list", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Telex scenario"


def test_init_writes_a_scenario_that_validates_and_overwrites_nothing(capsys: Captured):
    assert main(["init", "mine", "--preset", "market-2026"]) == 0
    assert main(["validate", "mine.yaml"]) == 0
    text = Path("mine.yaml").read_text()
    assert main(["init", "mine"]) == 2
    assert Path("mine.yaml").read_text() == text
    assert "already there" in capsys.readouterr().err


def test_the_doctor_says_what_is_there(capsys: Captured):
    status = main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    found = {finding["name"]: finding for finding in document["findings"]}
    assert {"python", "numpy", "anvil", "contracts", "port", "cores"} <= set(found)
    assert (status == 0) == document["ok"]


HEAVY = ("web3", "eth_account", "polars", "simpy", "networkx", "scipy", "plotly", "optuna")


@pytest.mark.parametrize("arguments", [["--help"], ["validate", "telegraph"], ["list", "routers"]])
def test_what_needs_no_chain_and_no_tables_does_not_import_them(arguments: list[str]):
    code = (
        "import sys; from sim.cli import main; main(sys.argv[1:]); "
        f"sys.exit(any(name in sys.modules for name in {HEAVY}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_the_module_is_the_command():
    done = subprocess.run([*TELEX, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("telex ")


@pytest.mark.chain
def test_a_run_on_anvil_agrees_with_the_chain_and_so_does_its_audit(capsys: Captured):
    if not os.environ.get("TELEX_ANVIL") and main(["doctor", "--json"]):
        pytest.skip("no Anvil")
    capsys.readouterr()
    asked = ["run", "hello-market", "--set", "tasks=100", "--out", "mine", "--json"]
    assert main(asked) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["chain"]["parity"]
    assert summary["chain"]["calls_settled"] == summary["calls"]["settled"] > 0
    assert main(["audit", "mine", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["difference_micros"] == 0
