"""Uniswap v3 itself, from the code that its npm packages carry, and a pool in it."""

from dataclasses import dataclass
from math import isqrt

from sim.chain.contracts import address, contract, created_address
from sim.chain.local.work import CALL_GAS, Work

POOL_FEE_PPM = 3_000
TICK_SPACING = 60  # of that fee
MOST_TICK = 887_272
NO_WETH = "0x00000000000000000000000000000000000000E7"  # pools of plain tokens never call it
NOBODY = "0x" + "00" * 20
HOUR_S = 3_600
POSITION_GAS = 2_000_000
CREATION_GAS = 8_000_000


@dataclass(frozen=True, slots=True)
class Exchange:
    """Where Uniswap v3 is; addresses with checksum."""

    factory: str
    swap_router: str
    positions: str
    pool: str


def deploy_exchange(work: Work, first: tuple[str, int], second: tuple[str, int]) -> Exchange:
    """Uniswap v3 with a pool of two tokens at the price that the amounts say.

    One full-range position takes both amounts, in the tokens' units; the worker has them.
    """
    sender = work.sender
    factory, swaps, positions = (
        created_address(sender.address, sender.nonce + number) for number in range(3)
    )
    creations = {
        "UniswapV3Factory": (),
        "SwapRouter": (factory, NO_WETH),
        "NonfungiblePositionManager": (factory, NO_WETH, NOBODY),
    }
    for name, arguments in creations.items():
        work.add(name, None, contract(name).creation(*arguments), CREATION_GAS)
    _open_pool(work, positions, *sorted((first, second), key=lambda side: int(side[0], 16)))
    work.do()
    asked = contract("UniswapV3Factory").call("getPool", first[0], second[0], POOL_FEE_PPM)
    return Exchange(factory, swaps, positions, address(work.rpc.view(factory, asked)))


def _open_pool(work: Work, positions: str, low: tuple[str, int], high: tuple[str, int]) -> None:
    (token0, amount0), (token1, amount1) = low, high
    manager, token = contract("NonfungiblePositionManager"), contract("MACHINA")
    for place, amount in (low, high):
        work.add("an approval", place, token.call("approve", positions, amount), CALL_GAS)
    price = isqrt((amount1 << 192) // amount0)
    work.add(
        "the pool",
        positions,
        manager.call("createAndInitializePoolIfNecessary", token0, token1, POOL_FEE_PPM, price),
        CREATION_GAS,
    )
    tick = MOST_TICK // TICK_SPACING * TICK_SPACING
    deadline = work.rpc.block().timestamp + HOUR_S
    terms = (
        token0, token1, POOL_FEE_PPM, -tick, tick, amount0, amount1, 0, 0,
        work.sender.address, deadline,
    )  # fmt: skip
    work.add("the pool's position", positions, manager.call("mint", terms), POSITION_GAS)
