"""Everything on one chain: the rails' contracts, Telegraph's Port with MACHINA and its pool."""

from dataclasses import dataclass, replace

from sim.chain.accounts import ROUTER_INDEX, TREASURY_INDEX, Account, AccountKind, account
from sim.chain.contracts import Value, contract, created_address
from sim.chain.deployer import RAIL_CONTRACTS, WITHDRAW_DELAY_S, deploy_with
from sim.chain.deployment import Deployment
from sim.chain.local.fixed import put_fixed
from sim.chain.local.uniswap import POOL_FEE_PPM, Exchange, deploy_exchange
from sim.chain.local.work import Work
from sim.chain.rpc import Rpc

AUTHORITY_INDEX = 2
JOB_LIFETIME_S = EPOCH_S = 86_400
# MACHINA began so many days ago; 80 % of their emission, 7,200 each, is paired with USDC, one for
# one: a job's dollar then moves the price by a hundred-thousandth.
POOL_EPOCHS = 30
POOL_MACHINA = POOL_EPOCHS * 5_760 * 10**18
MACHINA_PER_MICRO = 10**12


@dataclass(frozen=True, slots=True)
class Contracts:
    """Where everything is: ``ledger`` is what runs settle on; addresses with checksum."""

    ledger: Deployment
    settlement_authority: str
    exchange: Exchange


def authority() -> Account:
    """The account that settles jobs and epochs on a chain of ours."""
    return account(AccountKind.OPERATOR, AUTHORITY_INDEX)


def deploy_all(rpc: Rpc, fee_bps: int) -> Contracts:
    """Deploys everything to an Anvil of ours that mines each transaction at once.

    Raises:
        ToolError: the contracts are not compiled.
        ChainError: the node refuses, or a transaction fails.
    """
    work = Work(rpc, account(AccountKind.OPERATOR, ROUTER_INDEX))
    treasury = account(AccountKind.OPERATOR, TREASURY_INDEX).address
    ledger = deploy_with(work.blocks, fee_bps, treasury, RAIL_CONTRACTS)
    put_fixed(rpc)
    genesis = rpc.block().timestamp - POOL_EPOCHS * EPOCH_S
    machina = _create(work, "MACHINA", authority().address, treasury, genesis, EPOCH_S)
    work.do()
    exchange = _exchange(work, ledger.usdc, machina)
    port = _create(
        work,
        "Port",
        (
            ledger.usdc, machina, treasury, authority().address, exchange.swap_router,
            POOL_FEE_PPM, WITHDRAW_DELAY_S, JOB_LIFETIME_S,
        ),
    )  # fmt: skip
    work.do()
    whole = replace(
        ledger, machina=machina, port=port, swap_router=exchange.swap_router,
        uniswap_pool=exchange.pool,
    )  # fmt: skip
    return Contracts(whole, authority().address, exchange)


def _create(work: Work, name: str, *arguments: Value) -> str:
    place = created_address(work.sender.address, work.sender.nonce)
    work.add(name, None, contract(name).creation(*arguments))
    return place


def _exchange(work: Work, usdc: str, machina: str) -> Exchange:
    """Makes the deployer MACHINA's only validator and author so far; it opens the pool with it."""
    minter, deployer = Work(work.rpc, authority()), work.sender.address
    for _ in range(POOL_EPOCHS):
        call = contract("MACHINA").call("mintEpoch", [deployer], [deployer], [1])
        minter.add("an epoch of MACHINA", machina, call)
    minter.do()
    micros = POOL_MACHINA // MACHINA_PER_MICRO
    work.add("USDC for the pool", usdc, contract("USDC").call("mint", deployer, micros))
    return deploy_exchange(work, (usdc, micros), (machina, POOL_MACHINA))
