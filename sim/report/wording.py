"""Numbers and names as people read them: money, shares, times, counts, lists."""

from collections.abc import Sequence
from math import floor, log10

from sim.units import (
    MICROS_PER_USD,
    PPM,
    US_PER_DAY,
    US_PER_HOUR,
    US_PER_MINUTE,
    US_PER_MS,
    US_PER_S,
)

NONE = "–"
NBSP = "\u00a0"
MINUS = "−"
SMALL_COUNTS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
)  # fmt: skip
TIMES = (
    (US_PER_DAY * 3, US_PER_DAY, "d"),
    (US_PER_HOUR * 2, US_PER_HOUR, "h"),
    (US_PER_MINUTE * 3, US_PER_MINUTE, "min"),
    (US_PER_S, US_PER_S, "s"),
    (0, US_PER_MS, "ms"),
)


def number(value: float, digits: int = 3) -> str:
    """A number to so many significant digits, whole digits always kept, with separators."""
    if value == 0:
        return "0"
    places = max(0, digits - 1 - floor(log10(abs(value))))
    text = f"{abs(value):,.{places}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{MINUS}{text}" if value < 0 else text


def whole(value: float | None) -> str:
    """A count with separators."""
    return NONE if value is None else f"{value:,.0f}".replace("-", MINUS)


def counted(count: int, noun: str) -> str:
    """``three models``, ``1,200 calls``, ``one call``."""
    plural = noun if count == 1 else noun[:-1] + "ies" if noun.endswith("y") else f"{noun}s"
    return f"{SMALL_COUNTS[count] if count < len(SMALL_COUNTS) else whole(count)} {plural}"


def dollars(micros: float | None) -> str:
    """Micro-USDC as dollars: cents from a dollar on, three significant digits below."""
    if micros is None:
        return NONE
    usd = abs(micros) / MICROS_PER_USD
    text = f"{usd:,.0f}" if usd >= 1000 else f"{usd:,.2f}" if usd >= 1 else number(usd)
    if usd < 1 and usd * 100 == round(usd * 100):
        text = f"{usd:.2f}"
    return f"{MINUS if micros < 0 else ''}${text}"


def percent(share: float | None, places: int = 1) -> str:
    """A share in per cent."""
    return NONE if share is None else f"{share * 100:,.{places}f}{NBSP}%".replace("-", MINUS)


def percent_of_ppm(ppm: int | None) -> str:
    """Parts per million in per cent."""
    return percent(None if ppm is None else ppm / PPM)


def duration(us: float | None) -> str:
    """A time in the unit that suits it."""
    if us is None:
        return NONE
    unit_us, unit = next((size, name) for least, size, name in TIMES if abs(us) >= least)
    return f"{number(us / unit_us)}{NBSP}{unit}"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def shortened(name: str, longest: int = 18) -> str:
    """A name that fits beside a picture."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
