"""The compiled contracts: Telegraph's interface to the letter, sizes, and who may do what."""

import json
import re
from typing import cast

import pytest

from sim.chain.contracts import ARTIFACTS, contract

RUNTIME_MOST, CREATION_MOST = 24_576, 49_152  # EIP-170, EIP-3860
OURS = sorted(
    path.stem for path in ARTIFACTS.glob("*.json")
    if not re.match(r"Uniswap|SwapRouter|Nonfungible|IAgent", path.stem)
)  # fmt: skip

# As clients of the public deployment have it.
STRUCTS = {
    "OnChainData": "address[] addresses, uint256[] integers, string[] strings, bool[] bools",
    "Job": "address agent, bytes32 intentId, address callback, uint256 budget, "
    "uint256 minerPayment, uint256 protocolFee, uint8 state, uint256 createdAt",
}
FUNCTIONS = """
usdcToken() view returns (address)
machinaToken() view returns (address)
getTreasury() view returns (address)
depositUSDC(uint256 amount)
requestWithdraw(uint256 amount)
executeWithdraw()
escrowBalance(address user) view returns (uint256)
effectiveBalance(address user) view returns (uint256)
createJob(bytes32 intentId, OnChainData params, address callback) returns (uint256 jobId)
cancelJob(uint256 jobId)
getJob(uint256 jobId) view returns (Job)
getJobOutput(uint256 jobId) view returns (bytes32)
jobsByAgent(address agent) view returns (uint256[])
jobCount() view returns (uint256)
getJobBasePrice() view returns (uint256)
transitionToTerminal(uint256 jobId, bytes32 outputHash, address miner, bytes blsSig, \
uint256 blsSalt, OnChainData response)
registerMiner(string yamlUrl, bytes32 yamlHash, address feeAddress, uint256 minPriceUsdc, \
string[] supportedIntents) returns (uint256)
updateMiner(uint256 registrationId, string yamlUrl, bytes32 yamlHash, address feeAddress, \
uint256 minPriceUsdc, string[] supportedIntents)
deregisterMiner(uint256 registrationId)
minerCount() view returns (uint256)
getMiner(uint256 registrationId) view returns (address miner, string yamlUrl, bytes32 yamlHash, \
bool active, bytes32 intentId, address feeAddress, uint256 minPriceUsdc, string[] supportedIntents)
getCanonicalIntents() view returns (string[])
isCanonicalIntent(string intent) view returns (bool)
epochSettled(uint256 epochId) view returns (bool)
epochTotalUSDC(uint256 epochId) view returns (uint256)
epochTotalMachina(uint256 epochId) view returns (uint256)
"""
EVENTS = """
Deposited(address indexed user, uint256 amount)
WithdrawRequested(address indexed user, uint256 amount, uint256 unlockTime)
JobCreated(uint256 indexed jobId, address indexed agent, bytes32 intentId, address callback)
JobTerminal(uint256 indexed jobId, uint256 fee, uint256 minerPaid)
JobCancelled(uint256 indexed jobId)
MinerRegistered(uint256 indexed registrationId, address indexed miner, string yamlUrl, \
bytes32 yamlHash, address feeAddress, uint256 minPriceUsdc, string[] supportedIntents)
EpochSubmitted(uint256 indexed epochId, bytes32 merkleRoot, uint256 totalUSDC, uint256 totalMachina)
USDCSwapped(uint256 usdcIn, uint256 machinaOut, uint256 indexed epochId)
BalanceDeducted(address indexed agent, uint256 amount, uint256 indexed epochId)
"""
CALLBACK = "subnetMessage(uint256 jobId, bool success, OnChainData response, string errorMessage)"


Signature = tuple[str, list[str], list[str], bool]


def spelled(parameters: str) -> list[str]:
    """``type name`` of each, with ``indexed`` between if it is; structs as tuples."""
    found = []
    for parameter in filter(None, parameters.split(", ")):
        kind, *words = parameter.split()
        fields = STRUCTS.get(kind)
        found.append(" ".join([f"({', '.join(spelled(fields))})" if fields else kind, *words]))
    return found


def written(line: str) -> Signature:
    """Name, inputs, outputs and whether it is a view, of a line as above."""
    match = re.fullmatch(r"(\w+)\((.*?)\)( view)?(?: returns \((.*)\))?", line)
    assert match, line
    return match[1], spelled(match[2]), spelled(match[4] or ""), bool(match[3])


def of_abi(parameters: object) -> list[str]:
    found = []
    for parameter in cast("list[dict[str, object]]", parameters):
        kind = str(parameter["type"])
        if "components" in parameter:
            kind = f"({', '.join(of_abi(parameter['components']))})" + kind.removeprefix("tuple")
        words = [kind, "indexed" if parameter.get("indexed") else "", str(parameter["name"])]
        found.append(" ".join(filter(None, words)))
    return found


def compiled(name: str, kind: str) -> dict[str, Signature]:
    return {
        str(entry["name"]): (
            str(entry["name"]),
            of_abi(entry["inputs"]),
            of_abi(entry.get("outputs", [])),
            entry.get("stateMutability") in ("view", "pure"),
        )
        for entry in contract(name).interface
        if entry["type"] == kind
    }


@pytest.mark.parametrize("line", FUNCTIONS.strip().split("\n"))
def test_a_function_of_telegraphs_interface_is_there_to_the_letter(line: str) -> None:
    needed = written(line)
    found = compiled("Port", "function")[needed[0]]
    assert (found[:2], found[3]) == (needed[:2], needed[3])
    for output, wanted in zip(found[2], needed[2], strict=True):
        assert wanted in (output, output.rpartition(" ")[0])  # some have no name in the interface


@pytest.mark.parametrize("line", EVENTS.strip().split("\n"))
def test_an_event_of_telegraphs_interface_is_there_to_the_letter(line: str) -> None:
    needed = written(line)
    found = compiled("Port", "event")[needed[0]]
    assert found[:2] == needed[:2]


def test_the_callback_is_what_agents_contracts_implement() -> None:
    assert compiled("IAgentCallback", "function")["subnetMessage"] == written(CALLBACK)


def test_a_jobs_fields_have_the_names_that_clients_read() -> None:
    entry = next(item for item in contract("Port").interface if item.get("name") == "getJob")
    (job,) = cast("list[dict[str, list[dict[str, str]]]]", entry["outputs"])
    names = [part["name"] for part in job["components"]]
    assert names == [parameter.split()[1] for parameter in STRUCTS["Job"].split(", ")]


@pytest.mark.parametrize("name", OURS)
def test_a_contract_is_within_the_limits_of_size(name: str) -> None:
    assert 0 < len(contract(name).runtime) <= RUNTIME_MOST
    assert len(contract(name).bytecode) <= CREATION_MOST


@pytest.mark.parametrize("name", OURS)
def test_nobody_can_replace_code_or_change_a_parameter(name: str) -> None:
    """No proxies, no setters: what changes state is a verb of the protocol, or pauses deposits."""
    powers = re.compile(r"upgrade|initialize|set[A-Z]|grant|revoke|mint|pause|Ownership", re.ASCII)
    found = {
        function
        for function, (*_, view) in compiled(name, "function").items()
        if not view and powers.search(function)
    }
    pausing = {"pause", "unpause", "transferOwnership", "renounceOwnership"}
    allowed = {
        "CallLedger": {*pausing, "setMandate"},
        "EpochRoot": {*pausing, "setMandate"},
        "USDC": {"mint"},  # a test dollar
        "MACHINA": {"mintEpoch"},  # by its schedule
        "Port": {"setVolume"},  # what demand was, as its authority counts it
    }
    assert found == allowed.get(name, set())


@pytest.mark.parametrize("name", sorted({*OURS} - {"Port", "VoucherChannels"}))
def test_an_error_carries_what_was_found_and_what_is_allowed(name: str) -> None:
    """Port keeps its clients' words, and x402's errors are part of its ABI: those have none.

    Nor have libraries' errors, and those of ours that nothing could be found in.
    """
    library = re.compile(
        "ERC20|ERC3009|ECDSA|SafeERC20|SafeCast|Ownable|Reentrancy|EnforcedPause|ExpectedPause"
        "|InvalidShortString|StringTooLong|InvalidAccountNonce"
    )
    plain = {"NoAddress", "NoTime", "NoCalls", "NothingRequested", "WrongSignature", "CallFailed"}
    for entry in contract(name).interface:
        if entry["type"] != "error" or library.match(str(entry["name"])):
            continue
        fields = {part["name"] for part in cast("list[dict[str, str]]", entry["inputs"])}
        if entry["name"] not in {*plain, "RepeatedAccount"}:  # of an account, once is the limit
            assert "found" in fields, entry["name"]
            assert fields & {"limit", "needed", "multiple", "id"}, entry["name"]


def test_the_artifacts_are_plain_json() -> None:
    for path in ARTIFACTS.glob("*.json"):
        assert set(json.loads(path.read_text())) == {"abi", "bytecode", "runtime_bytecode"}
