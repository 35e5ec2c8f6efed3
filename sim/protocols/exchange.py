"""Uniswap v3's arithmetic in exact integers, for a pool with one position over the full range.

After SqrtPriceMath, SwapMath, TickMath, LiquidityAmounts and the loop of UniswapV3Pool.swap
(Adams et al. 2021, "Uniswap v3 Core"), whose rounding it keeps to the last unit.
"""

from bisect import bisect_left, bisect_right
from functools import cache
from math import isqrt
from typing import Final

from sim.units import PPM

Q96: Final = 1 << 96
MOST_TICK: Final = 887_272
WORD: Final = 256
SPACING_BY_FEE: Final = {500: 10, 3000: 60, 10_000: 200}
FACTORS: Final = (
    0xFFFCB933BD6FAD37AA2D162D1A594001, 0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC, 0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644, 0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861, 0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4, 0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3, 0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825, 0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7, 0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9, 0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98, 0x48A170391F7DC42444E8FA2,
)  # fmt: skip
"""1.0001^(-2^k / 2) in units of 2^-128, for k = 0, 1, ..."""


def sqrt_ratio_at(tick: int) -> int:
    """sqrt(1.0001^tick) in units of 2^-96, rounded up."""
    ratio = 1 << 128
    for bit, factor in enumerate(FACTORS):
        if abs(tick) >> bit & 1:
            ratio = ratio * factor >> 128
    if tick > 0:
        ratio = ((1 << 256) - 1) // ratio
    return -(-ratio >> 32)


def amount0_between(low: int, high: int, liquidity: int, *, up: bool) -> int:
    """Token 0 between two square roots of prices, rounded up or down."""
    product = (liquidity << 96) * (high - low)
    if not up:
        return product // high // low
    above = -(-product // high)
    return -(-above // low)


def amount1_between(low: int, high: int, liquidity: int, *, up: bool) -> int:
    """Token 1 between two square roots of prices, rounded up or down."""
    product = liquidity * (high - low)
    return -(-product // Q96) if up else product // Q96


@cache
def _bounds(fee_ppm: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Where a swap stops to look for liquidity, going down and going up, in rising order.

    A pool looks for ticks one word of its bitmap at a time. The first and the last are the ends of
    the full range.
    """
    spacing = SPACING_BY_FEE.get(fee_ppm, 60)
    most = MOST_TICK // spacing
    words = range(-most // WORD, most // WORD + 1)
    down = sorted({-most, *(word * WORD for word in words if -most < word * WORD < most)})
    up = sorted({most, *(each for word in words if -most < (each := word * WORD + 255) < most)})
    lows, highs = (tuple(sqrt_ratio_at(at * spacing) for at in side) for side in (down, up))
    return lows, highs


class Exchange:
    """A pool with one full-range position; amounts are in the tokens' smallest units.

    Args:
        amount0, amount1: what is offered to the position, at the price that they say.

    Attributes:
        sqrt_price: square root of token 1 per token 0, in units of 2^-96.
        reserve0, reserve1: what the pool has.
    """

    def __init__(self, amount0: int, amount1: int, fee_ppm: int) -> None:
        self.fee_ppm = fee_ppm
        self._down, self._up = _bounds(fee_ppm)
        self.sqrt_price = price = isqrt((amount1 << 192) // amount0)
        low, high = self._down[0], self._up[-1]
        for_0 = amount0 * (price * high // Q96) // (high - price)
        for_1 = (amount1 << 96) // (price - low)
        self.liquidity = min(for_0, for_1)
        self.reserve0 = amount0_between(price, high, self.liquidity, up=True)
        self.reserve1 = amount1_between(low, price, self.liquidity, up=True)

    def swap(self, amount: int, *, zero_for_one: bool) -> tuple[int, int]:
        """Sells ``amount`` of one token for the other: what was taken of it, and what it bought."""
        left, bought = amount, 0
        while left:
            target = self._target(zero_for_one=zero_for_one)
            if target is None:
                break
            taken, out = self._step(target, left, zero_for_one=zero_for_one)
            left -= taken
            bought += out
        if zero_for_one:
            self.reserve0, self.reserve1 = self.reserve0 + amount - left, self.reserve1 - bought
        else:
            self.reserve1, self.reserve0 = self.reserve1 + amount - left, self.reserve0 - bought
        return amount - left, bought

    def _target(self, *, zero_for_one: bool) -> int | None:
        """How far the price may go in this step; None at the end of the position's range."""
        if zero_for_one:
            at = bisect_left(self._down, self.sqrt_price) - 1
            return self._down[at] if at >= 0 else None
        at = bisect_right(self._up, self.sqrt_price)
        return self._up[at] if at < len(self._up) else None

    def _step(self, target: int, left: int, *, zero_for_one: bool) -> tuple[int, int]:
        """One step towards ``target``: what it takes, the fee in it, and what it gives."""
        price, liquidity, fee = self.sqrt_price, self.liquidity, self.fee_ppm
        net = left * (PPM - fee) // PPM
        paid, given = amount0_between, amount1_between
        if not zero_for_one:
            paid, given = given, paid
        needed = paid(min(price, target), max(price, target), liquidity, up=True)
        after = target if net >= needed else self._after(net, zero_for_one=zero_for_one)
        self.sqrt_price = after
        out = given(min(price, after), max(price, after), liquidity, up=False)
        if after != target:
            return left, out
        return needed + -(-needed * fee // (PPM - fee)), out

    def _after(self, net: int, *, zero_for_one: bool) -> int:
        """The price after so much comes in, rounded so that the pool never gives too much."""
        price, liquidity = self.sqrt_price, self.liquidity
        if not zero_for_one:
            return price + (net << 96) // liquidity
        numerator = liquidity << 96
        return -(-numerator * price // (numerator + net * price))
