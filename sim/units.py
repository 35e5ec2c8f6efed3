"""The units of Telex (micro-USDC, microseconds, basis points, ppm) and every rounding it does.

Money is an ``int`` of micro-USDC (``_micros``), a price per token an ``int`` of micros per million
tokens, time an ``int`` of microseconds since the start of a run (``_us``). Floats never touch a
balance. A function that rounds says in its name in which direction.
"""

from collections.abc import Iterable
from decimal import Decimal

import numpy as np
import numpy.typing as npt

MICROS_PER_USD = 1_000_000
TOKENS_PER_MTOK = 1_000_000
US_PER_MS = 1_000
US_PER_S = 1_000_000
US_PER_MINUTE = 60 * US_PER_S
US_PER_HOUR = 3_600 * US_PER_S
US_PER_DAY = 24 * US_PER_HOUR
HOURS_PER_WEEK = 168
NEVER_US = 10**9 * US_PER_S
"""The longest deadline there can be: who has as much patience as that waits for ever."""
BPS = 10_000
PPM = 1_000_000
BEYOND_MICROS = 10**15
"""More than anybody has or may pay."""
WEI_PER_GWEI = 10**9
WEI_PER_ETH = 10**18

Int64Array = npt.NDArray[np.int64]
BytesArray = npt.NDArray[np.uint8]


def micros_from_usd_exact(usd: Decimal) -> int:
    """Dollars as micro-USDC; raises ``ValueError`` if they are finer than one micro."""
    micros = usd * MICROS_PER_USD
    if micros != micros.to_integral_value():
        msg = f"{usd} USD is finer than one micro-USDC (0.000001)"
        raise ValueError(msg)
    return int(micros)


def usd_from_micros(micros: int) -> Decimal:
    """Micro-USDC as dollars, exactly."""
    return Decimal(micros) / MICROS_PER_USD


def us_from_seconds_nearest(seconds: float) -> int:
    """Seconds as microseconds, to the nearest (half to even)."""
    return round(seconds * US_PER_S)


def us_from_ms_nearest(milliseconds: float) -> int:
    """Milliseconds as microseconds, to the nearest (half to even)."""
    return round(milliseconds * US_PER_MS)


def us_from_hours_nearest(hours: float) -> int:
    """Hours as microseconds, to the nearest (half to even)."""
    return round(hours * US_PER_HOUR)


def ppm_nearest(share: float) -> int:
    """A share in [0, 1] as parts per million, to the nearest."""
    return round(share * PPM)


def micros_ceil(micro_tokens: int) -> int:
    """A sum of tokens times micros per million tokens, as micros, rounded up once."""
    return -(-micro_tokens // TOKENS_PER_MTOK)


def share_floor(micros: int, bps: int) -> int:
    """The share ``bps`` of an amount, rounded down: ``micros * bps // 10000``, as in Solidity."""
    return micros * bps // BPS


def net_floor(micros: int, fee_bps: int) -> int:
    """What a fee of so many ``bps`` leaves of an amount, rounded down."""
    return micros * (BPS - fee_bps) // BPS


def gross_ceil(net_micros: int, fee_bps: int) -> int:
    """The least charge of which the fee leaves so much: net / (1 - fee), rounded up.

    Who is charged that or more is left no less than ``net_micros``; who is charged less, no more.
    `BEYOND_MICROS` at most, and so where the fee takes all.
    """
    if not net_micros:
        return 0
    if fee_bps == BPS:
        return BEYOND_MICROS
    return min(BEYOND_MICROS, -(-net_micros * BPS // (BPS - fee_bps)))


def times_tenths_ceil(micros: int, tenths: int) -> int:
    """An amount times ``tenths`` / 10, rounded up."""
    return -(-micros * tenths // 10)


def shares_floor(micros: Int64Array, bps: int) -> Int64Array:
    """`share_floor` over an array of amounts (all non-negative, below 2**48)."""
    return micros * bps // BPS


def ratio_nearest(amount: int, count: int) -> int | None:
    """Amount / count to the nearest int (half up); None when there is nothing to divide by."""
    return (2 * amount + count) // (2 * count) if count else None


def micros_ceil_from_wei(parts: Iterable[tuple[int, float]]) -> int:
    """Wei, each at its price of ETH in dollars (to the micro), as micro-USDC; rounded up once."""
    total = sum(wei * round(eth_usd * MICROS_PER_USD) for wei, eth_usd in parts)
    return -(-total // WEI_PER_ETH)


def micros_floor_from_ppm(micro_ppm: int) -> int:
    """An amount in millionths of a micro as whole micros, rounded down."""
    return micro_ppm // PPM


def price_ceil(micros: int, share_ppm: int) -> int:
    """An amount over a share of above 0, as whole micros, rounded up."""
    return -(-micros * PPM // share_ppm)


def micros_nearest(micros: int, factor: float) -> int:
    """An amount times a factor, to the nearest micro (half to even)."""
    return round(micros * factor)


def ratio_ceil(amount: int, count: int) -> int:
    """Amount / count, rounded up."""
    return -(-amount // count)
