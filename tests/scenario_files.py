"""A small scenario as a file, and ways to look at what became of it."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from sim.mechanisms import PerToken
from sim.routers import Leaderboard
from sim.scenario import Scenario
from sim.scenario.supply import Model

BASIC = """\
version: 1
horizon_h: 24
models:
  glm-5: {extends: catalog/glm-5, capacity: {slots: 8}}
  gpt-5.2: {extends: catalog/gpt-5.2}
  house-model:
    price: {kind: per_token, input_usd_per_mtok: 0.60, output_usd_per_mtok: 3.00}
    quality: {CODE_GENERATION: 0.71}
groups:
  coders:
    count: 5
    arrival: {kind: gamma, per_hour: 30, cv: 3.5}
    intents:
      CODE_GENERATION:
        input_tokens: {median: 6000, sigma: 0.9}
        output_tokens: {median: 500}
    budget_usd: 500
    value_usd: 0.40
    max_price_usd: 0.25
    deadline_s: 120
router: {kind: leaderboard, shares_percent: [60, 40]}
"""


Writer = Callable[..., Path]


def shares(scenario: Scenario) -> tuple[int, ...]:
    assert isinstance(scenario.router, Leaderboard)
    return scenario.router.shares_percent


def asked(model: Model, sort: str) -> Decimal:
    assert isinstance(model.price, PerToken)
    price = model.price
    return price.input_usd_per_mtok if sort == "input" else price.output_usd_per_mtok


def writer(folder: Path) -> Writer:
    """A function that writes a text to a file in the folder and returns its path."""

    def write(text: str, name: str = "basic.yaml") -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write
