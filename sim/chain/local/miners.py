"""Models as Port's miners: registered under accounts of their own, each with a price floor."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eth_abi.abi import decode

from sim.chain.accounts import Account, AccountKind, account
from sim.chain.contracts import contract, integer
from sim.chain.local.work import GAS
from sim.chain.rpc import Rpc
from sim.chain.sender import Sender
from sim.facts import ChainError
from sim.intents import INTENTS
from sim.mechanisms import Tariff
from sim.scenario.library import FOLDERS, names
from sim.scenario.loading import catalog_model
from sim.scenario.supply import Model

LEAST_FLOOR_MICROS = 10_000
# The request that a floor is the price of: the catalog's reference answer of 300 tokens.
PROMPT_TOKENS, ANSWER_TOKENS = 2_000, 300
MINER = ("address", "string", "bytes32", "bool", "bytes32", "address", "uint256", "string[]")


@dataclass(frozen=True, slots=True)
class Miner:
    """A model that is to be registered: ``url`` names its description, ``digest`` is its hash."""

    model: str
    url: str
    digest: bytes
    floor_micros: int
    intents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered miner: ``intent`` is the id by which a job asks for this one alone."""

    number: int
    miner: Miner
    owner: Account
    intent: bytes


def floor_micros(model: Model) -> int:
    """Dollars per reference request, at least a cent, in micros."""
    cached = round(PROMPT_TOKENS * model.cache_hit_share)
    output = round(ANSWER_TOKENS * model.verbosity / (1 - model.reasoning_share))
    charge = Tariff(model.price).charge_ceil(PROMPT_TOKENS - cached, cached, output)
    return max(LEAST_FLOOR_MICROS, charge)


def miners_of(models: Mapping[str, Model], folder: str) -> list[Miner]:
    """Models as miners, by id; those that serve no canonical intent are left out."""
    found = []
    for name, model in models.items():
        intents = tuple(intent for intent in model.quality if intent in INTENTS)
        if intents:
            digest = hashlib.sha256(model.model_dump_json().encode()).digest()
            url = f"telex:{folder}/{name}"
            found.append(Miner(name, url, digest, floor_micros(model), intents))
    return found


def catalog_miners() -> list[Miner]:
    """The models that come with Telex."""
    models = {name: catalog_model(name) for name in names(FOLDERS["catalog"])}
    return miners_of(models, "catalog")


def register(rpc: Rpc, port: str, miners: Sequence[Miner], first: int = 0) -> list[Registration]:
    """Registers miners, the model account number ``first`` the first; each signs for itself.

    Raises `ChainError` if the port refuses one.
    """
    interface, chain_id = contract("Port"), rpc.quantity("eth_chainId")
    count = integer(rpc.view(port, interface.call("minerCount")))
    owners = [account(AccountKind.MODEL, first + number) for number in range(len(miners))]
    for miner, owner in zip(miners, owners, strict=True):
        sender = Sender(rpc, owner, chain_id, free=True)
        terms = (owner.address, miner.floor_micros, miner.intents)
        data = interface.call("registerMiner", miner.url, miner.digest, *terms)
        ready = sender.prepare(port, data, GAS)
        sender.send([ready])
        if not rpc.receipt(ready.hash).ok:
            raise ChainError(f"{port} does not register {miner.model}: {ready.hash} reverted")
    return [
        Registration(number, miner, owner, _intent(rpc, port, number, owner))
        for number, (miner, owner) in enumerate(zip(miners, owners, strict=True), count + 1)
    ]


def _intent(rpc: Rpc, port: str, number: int, owner: Account) -> bytes:
    answer = rpc.view(port, contract("Port").call("getMiner", number))
    address, _, _, _, intent, *_ = decode(MINER, answer)
    if str(address).lower() != owner.address.lower():
        raise ChainError(f"registration {number} of {port} is {address}'s, not {owner.address}'s")
    return bytes(intent)
