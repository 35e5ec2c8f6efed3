"""Claims with arithmetic about the market of 2026: a run of each gives it to the micro."""

from decimal import Decimal

import pytest

from sim.metrics import Figures, figures
from sim.scenario.loading import catalog_model
from tests.scenarios_for_tests import CHAT, group, model, ran, scenario

MICROS = 1_000_000
MTOK = 1_000_000


def day(output_usd: str, input_usd: str = "0", mtok: tuple[int, int] = (0, 1)) -> Figures:
    """A day in which a thousand answers make ``mtok[1]`` thousand million output tokens."""
    price = {"kind": "per_token", "input_usd_per_mtok": input_usd,
             "output_usd_per_mtok": output_usd}  # fmt: skip
    sizes = {CHAT: {"input_tokens": {"median": max(1, mtok[0] * MTOK)},
                    "output_tokens": {"median": mtok[1] * MTOK}}}  # fmt: skip
    asking = group(
        arrival={"kind": "regular", "per_hour": 1000 / 24, "phase": 0.5}, intents=sizes,
        budget_usd=10_000_000, max_price_usd=1000,
    )  # fmt: skip
    return figures(ran(scenario({"m": model(price=price)}, {"a": asking})))


def test_a_billion_output_tokens_a_day_cost_15000_dollars_at_15_and_1100_at_1_10() -> None:
    dear, cheap = day("15"), day("1.10")
    assert dear.tokens.output == cheap.tokens.output == 1_000_000_000
    assert dear.spend_micros == 15_000 * MICROS
    assert cheap.spend_micros == 1_100 * MICROS
    between = 30 * (dear.spend_micros - cheap.spend_micros)
    assert between == 417_000 * MICROS > 400_000 * MICROS


@pytest.mark.parametrize(
    ("dear", "cheap", "ratio"),
    [
        ("75.00", "0.42", "178.6"),
        ("25", "1.10", "22.7"),
        ("25", "2.55", "9.8"),
        ("15", "1.10", "13.6"),
    ],
    ids=["178.6, not about 170", "22.7", "9.8", "about 14"],
)
def test_output_prices_are_apart_by(dear: str, cheap: str, ratio: str) -> None:
    one, other = day(dear).spend_micros, day(cheap).spend_micros
    assert round(Decimal(one) / other, 1) == Decimal(ratio)
    assert one * Decimal(cheap) == other * Decimal(dear)


def test_input_prices_of_5_and_0_30_are_apart_by_16_7() -> None:
    one, other = (day("0", price, (1, 1)) for price in ("5", "0.30"))
    assert one.tokens.input == 1_000_000_000
    assert round(Decimal(one.spend_micros) / other.spend_micros, 1) == Decimal("16.7")


def test_a_blended_price_of_1_07_is_76_percent_below_one_of_4_50() -> None:
    """Three input tokens to an output token: the catalog's Gemini 3.1 Pro blends to 4.50."""
    pro = catalog_model("gemini-3.1-pro").price
    assert pro.kind == "per_token"
    runs = (
        day(str(pro.output_usd_per_mtok), str(pro.input_usd_per_mtok), (3, 1)),
        day("1.07", "1.07", (3, 1)),
    )
    blended = [
        Decimal(run.spend_micros) / (run.tokens.input + run.tokens.output) * MTOK / MICROS
        for run in runs
    ]
    assert blended == [Decimal("4.5"), Decimal("1.07")]
    assert round(100 * (1 - blended[1] / blended[0])) == 76
