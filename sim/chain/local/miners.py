"""Models as Port's miners: registered under accounts of their own, each with a price floor."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eth_abi.abi import decode
from eth_utils.address import to_checksum_address

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
class Known:
    """A miner as the port knows it; ``intent`` asks for this one alone."""

    model: str
    address: str
    intent: bytes


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


def model_miners(models: Mapping[str, Model], scenario: str) -> list[Miner]:
    """A scenario's models: those that are named as in the catalog are the catalog's miners."""
    known = {miner.model: miner for miner in catalog_miners()}
    return [known.get(miner.model, miner) for miner in miners_of(models, scenario)]


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
    made = _registered(rpc, port, count + 1, count + len(miners))
    if [place for place, *_ in made] != [owner.address for owner in owners]:
        raise ChainError(f"{port} on {rpc.url} has registered others meanwhile")
    return [
        Registration(count + 1 + place, miner, owner, intent)
        for place, (miner, owner, (*_, intent)) in enumerate(zip(miners, owners, made, strict=True))
    ]


def register_missing(rpc: Rpc, port: str, miners: Sequence[Miner]) -> list[Known]:
    """Each of the miners as the port knows it, by its description; registers those it does not."""
    count = integer(rpc.view(port, contract("Port").call("minerCount")))
    there = {url: (owner, intent) for owner, url, intent in _registered(rpc, port, 1, count)}
    new = [miner for miner in miners if miner.url not in there]
    register(rpc, port, new, count)
    there |= {
        url: (owner, intent)
        for owner, url, intent in _registered(rpc, port, count + 1, count + len(new))
    }
    return [Known(miner.model, *there[miner.url]) for miner in miners]


def _registered(rpc: Rpc, port: str, first: int, last: int) -> list[tuple[str, str, bytes]]:
    """Owner, description's URL and own intent of the registrations first to last that stand."""
    calls = [contract("Port").call("getMiner", number) for number in range(first, last + 1)]
    found = [decode(MINER, answer) for answer in rpc.views(port, calls)]
    return [
        (str(to_checksum_address(owner)), str(url), bytes(intent))
        for owner, url, _, active, intent, *_ in found
        if active
    ]
