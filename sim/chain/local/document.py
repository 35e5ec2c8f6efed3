"""The file that tells a client all it needs of a chain of ours: addresses, ABIs, keys, the URL."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from sim.chain.accounts import Account
from sim.chain.contracts import contract
from sim.chain.local.contracts import Contracts
from sim.chain.local.fixed import PLACES
from sim.chain.local.miners import Registration
from sim.chain.local.uniswap import POOL_FEE_PPM
from sim.chain.merkle import keccak
from sim.facts import Fault, ScenarioError, ToolError
from sim.intents import INTENTS

ROLES = ("router", "treasury", "settlement_authority")
ABIS = (
    "CallHub", "CallLedger", "ERC3009DepositCollector", "EpochRoot", "IAgentCallback", "JobEscrow",
    "MACHINA", "Multicall3", "NonfungiblePositionManager", "Permit2DepositCollector", "Port",
    "SwapRouter", "USDC", "UniswapV3Factory", "UniswapV3Pool", "VoucherChannels",
)  # fmt: skip


class Holder(BaseModel):
    """An account whose key everybody knows; ``role`` is ``client`` for those that are free."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    address: str
    key: str


class MinerPlace(BaseModel):
    """A registered miner: ``intent_id`` asks for this one alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    registration_id: int
    model: str
    address: str
    key: str
    intent_id: str
    yaml_url: str
    min_price_usdc: int
    intents: tuple[str, ...]


class Document(BaseModel):
    """A chain of ours as a client sees it; the first seven keys are those of deployment.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chain_id: int
    usdc: str
    call_ledger: str
    router: str
    treasury: str
    fee_bps: int
    deploy_block: int
    rpc_url: str
    port: str
    machina: str
    settlement_authority: str
    call_hub: str
    job_escrow: str
    epoch_root: str
    voucher_channels: str
    erc3009_deposit_collector: str
    permit2_deposit_collector: str
    multicall3: str
    uniswap_factory: str
    swap_router: str
    uniswap_positions: str
    uniswap_pool: str
    pool_fee: int
    accounts: tuple[Holder, ...]
    miners: tuple[MinerPlace, ...]
    intents: dict[str, str]
    abis: dict[str, tuple[dict[str, object], ...]]

    def save(self, path: Path) -> None:
        """Writes the file; raises `ToolError` if it cannot be written."""
        try:
            path.write_text(self.model_dump_json(indent=1) + "\n")
        except OSError as error:
            raise ToolError(f"{path} cannot be written: {error.strerror}") from None


def document(
    url: str, made: Contracts, owners: Sequence[Account], miners: Sequence[Registration]
) -> Document:
    """What there is on a chain, for its file."""
    exchange = made.exchange
    roles = (*ROLES, *["client"] * len(owners))
    return Document(
        **asdict(made.ledger),
        rpc_url=url,
        settlement_authority=made.settlement_authority,
        voucher_channels=PLACES["VoucherChannels"],
        erc3009_deposit_collector=PLACES["ERC3009DepositCollector"],
        permit2_deposit_collector=PLACES["Permit2DepositCollector"],
        multicall3=PLACES["Multicall3"],
        uniswap_factory=exchange.factory,
        uniswap_positions=exchange.positions,
        pool_fee=POOL_FEE_PPM,
        accounts=tuple(
            Holder(role=role, address=owner.address, key=_hex(owner.key))
            for role, owner in zip(roles, owners, strict=False)
        ),
        miners=tuple(place_of(miner) for miner in miners),
        intents={name: _hex(keccak(name.encode())) for name in INTENTS},
        abis={name: contract(name).interface for name in ABIS},
    )


def place_of(registered: Registration) -> MinerPlace:
    """A registration as the file has it."""
    miner, owner = registered.miner, registered.owner
    return MinerPlace(
        registration_id=registered.number,
        model=miner.model,
        address=owner.address,
        key=_hex(owner.key),
        intent_id=_hex(registered.intent),
        yaml_url=miner.url,
        min_price_usdc=miner.floor_micros,
        intents=miner.intents,
    )


def load_document(path: Path) -> Document:
    """Reads the file of a chain of ours.

    Raises:
        ToolError: it cannot be read.
        ScenarioError: it is another file; each fault with its path in it.
    """
    try:
        return Document.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ToolError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        missing, whole = "missing", "json_invalid"
        faults = tuple(
            Fault(
                ".".join(map(str, part["loc"])) or "the file",
                {missing: "nothing", whole: "no JSON"}.get(part["type"], repr(part["input"])[:80]),
                "the file of a node, as telex node writes it",
                "" if part["type"] == missing else part["msg"],
                str(path),
            )
            for part in error.errors(include_url=False)
        )
        raise ScenarioError(faults) from None


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
