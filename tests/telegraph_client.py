"""A client of the Telegraph protocol as somebody else would write it: web3.py and the interface.

Nothing here is Telex's but the file that a local node writes: its URL, addresses and keys.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from eth_abi.abi import decode, encode
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.types import TxReceipt

DATA = "(address[],uint256[],string[],bool[])"
JOB = "(address,bytes32,address,uint256,uint256,uint256,uint8,uint256)"
FUNCTIONS = f"""
depositUSDC(uint256)
requestWithdraw(uint256)
executeWithdraw()
escrowBalance(address) uint256
effectiveBalance(address) uint256
createJob(bytes32,{DATA},address) uint256
cancelJob(uint256)
getJob(uint256) {JOB}
getJobOutput(uint256) bytes32
jobsByAgent(address) uint256[]
jobCount() uint256
getJobBasePrice() uint256
"""
TOKEN = """
approve(address,uint256) bool
transfer(address,uint256) bool
balanceOf(address) uint256
"""
FUNDED, TERMINAL, CANCELLED = range(3)
JOB_TERMINAL = Web3.keccak(text="JobTerminal(uint256,uint256,uint256)")
MESSAGE = Web3.keccak(text=f"subnetMessage(uint256,bool,{DATA},string)")[:4]
NOBODY = "0x" + "00" * 20
# A contract that writes down what it is called with: CALLDATACOPY and LOG0 of all of it.
RECORDER = "0x67" + "365f5f37365fa000" + "5f5260086018f3"
# A contract that reverts whatever it is called with.
REFUSER = "0x62" + "5f5ffd" + "5f526003601df3"

Question = tuple[list[str], list[int], list[str], list[bool]]


def parameter(kind: str) -> dict[str, object]:
    """An ABI parameter from its type."""
    if not kind.startswith("("):
        return {"name": "", "type": kind}
    inside = [parameter(part) for part in kind[1:-1].split(",")]
    return {"name": "", "type": "tuple", "components": inside}


def split(kinds: str) -> list[str]:
    """Types at the outer level of a list of them."""
    found, depth = [""], 0
    for letter in kinds:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return [kind for kind in found if kind]


def abi(lines: str) -> list[dict[str, object]]:
    """An ABI from lines of ``name(types) output``."""
    entries: list[dict[str, object]] = []
    for line in lines.split("\n"):
        name, _, rest = line.partition("(")
        if not rest:
            continue
        end = rest.rindex(") ") if ") " in rest else rest.rindex(")")
        outputs = rest[end + 1 :].strip()
        entries.append(
            {
                "type": "function",
                "name": name,
                "inputs": [parameter(kind) for kind in split(rest[:end])],
                "outputs": [parameter(outputs)] if outputs else [],
                "stateMutability": "view" if outputs and name != "createJob" else "nonpayable",
            }
        )
    return entries


class Message(NamedTuple):
    """What an agent's contract was called back with."""

    job: int
    success: bool
    response: tuple[Sequence[object], ...]
    error: str


class Client:
    """An agent with a key of its own, on the node of a file."""

    def __init__(self, file: Path, account: int = 3) -> None:
        self.places = json.loads(file.read_text())
        self.web3 = Web3(HTTPProvider(self.places["rpc_url"]))
        self.agent = self.web3.eth.account.from_key(self.places["accounts"][account]["key"])
        self.port = self.contract("port", FUNCTIONS)
        self.usdc = self.contract("usdc", TOKEN)
        self.machina = self.contract("machina", TOKEN)

    def contract(self, name: str, lines: str):
        return self.web3.eth.contract(self.places[name], abi=abi(lines))

    def send(self, call, sender=None) -> TxReceipt:
        """Signs a call with the agent's key, and waits until it is mined."""
        who = sender or self.agent
        nonce = self.web3.eth.get_transaction_count(who.address)
        fields = {"from": who.address, "nonce": nonce, "gasPrice": self.web3.eth.gas_price}
        signed = who.sign_transaction(call.build_transaction(fields))
        sent = self.web3.eth.send_raw_transaction(signed.raw_transaction)
        receipt = self.web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
        assert receipt["status"] == 1
        return receipt

    def create(self, code: str) -> str:
        """A contract of the agent's."""
        receipt = self.send(self.web3.eth.contract(abi=[], bytecode=code).constructor())
        place = receipt["contractAddress"]
        assert place is not None
        return place

    def deposit(self, micros: int) -> None:
        """Pays into escrow."""
        self.send(self.usdc.functions.approve(self.port.address, micros))
        self.send(self.port.functions.depositUSDC(micros))

    def open(self, intent: bytes | str, *words: str, callback: str = NOBODY) -> int:
        """Opens a job; returns its number."""
        name = Web3.keccak(text=intent) if isinstance(intent, str) else intent
        question: Question = ([], [], list(words), [])
        self.send(self.port.functions.createJob(name, question, callback))
        number: int = self.port.functions.jobsByAgent(self.agent.address).call()[-1]
        return number

    def state(self, job: int) -> int:
        """Funded, Terminal or Cancelled."""
        state: int = self.port.functions.getJob(job).call()[6]
        return state

    def wait(self, job: int, timeout_s: float = 30.0) -> None:
        """Returns when a job is Terminal."""
        end = time.monotonic() + timeout_s
        while self.state(job) != TERMINAL:
            assert time.monotonic() < end, f"job {job} is not answered"
            time.sleep(0.02)

    def escrow(self) -> int:
        """The agent's escrow."""
        balance: int = self.port.functions.escrowBalance(self.agent.address).call()
        return balance

    def settlements(self, job: int) -> list[HexBytes]:
        """The transactions that have answered a job."""
        number = HexBytes(job.to_bytes(32, "big"))
        logs = self.web3.eth.get_logs(
            {"address": self.port.address, "fromBlock": 0, "topics": [JOB_TERMINAL, number]}
        )
        return [log["transactionHash"] for log in logs]

    def messages(self, recorder: str) -> list[Message]:
        """What a recorder was called back with."""
        place = Web3.to_checksum_address(recorder)
        logs = self.web3.eth.get_logs({"address": place, "fromBlock": 0})
        calls = [bytes(log["data"]) for log in logs]
        assert all(call[:4] == MESSAGE for call in calls)
        kinds = ("uint256", "bool", DATA, "string")
        return [Message(*decode(kinds, call[4:])) for call in calls]

    def signal(self, job: int, intent: str, words: Sequence[str], message: Message) -> bytes:
        """The hash over request and answer, as anybody derives it."""
        (miner,) = message.response[0]
        kinds = ("uint256", "bytes32", DATA, "address", DATA)
        question: Question = ([], [], list(words), [])
        values = (job, Web3.keccak(text=intent), question, miner, message.response)
        return bytes(Web3.keccak(encode(kinds, values)))
