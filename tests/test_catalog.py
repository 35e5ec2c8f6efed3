"""The catalog: thirteen models, each figure with source and date, estimates flagged."""

from decimal import Decimal

import pytest

from sim.mechanisms import PerToken
from sim.scenario.library import FOLDERS, names
from sim.scenario.loading import catalog_model

# From MARKET.md: list prices per million in, out, cached; cache-hit and reasoning share; solved.
MARKET = {
    "deepseek-v3.2": ("CN", "open", "0.28", "0.42", "0.028", 0.55, 0.16, 0.700),
    "minimax-m2.5": ("CN", "open", "0.30", "1.20", "0.03", 0.85, 0.70, 0.758),
    "kimi-k2.5": ("CN", "open", "0.60", "3.00", "0.10", 0.75, 0.63, 0.708),
    "glm-5": ("CN", "open", "1.00", "3.20", "0.20", 0.65, 0.47, 0.728),
    "qwen3.5-397b": ("CN", "open", None, None, None, 0.39, 0.56, None),
    "gpt-5-mini": ("US", "closed", "0.25", "2.00", "0.025", 0.48, 0.67, 0.562),
    "gpt-5.2": ("US", "closed", "1.75", "14", "0.175", 0.54, 0.44, 0.728),
    "gpt-5.4": ("US", "closed", "2.50", "15", "0.25", 0.78, 0.61, None),
    "gemini-3-flash": ("US", "closed", "0.50", "3.00", "0.05", 0.35, 0.20, 0.758),
    "gemini-3.1-pro": ("US", "closed", "2.00", "12", "0.20", 0.38, 0.73, None),
    "claude-haiku-4.5": ("US", "closed", "1.00", "5.00", "0.10", 0.47, 0.04, 0.666),
    "claude-sonnet-4.6": ("US", "closed", "3.00", "15", "0.30", 0.70, 0.04, None),
    "claude-opus-4.6": ("US", "closed", "5.00", "25", "0.50", 0.61, 0.06, 0.756),
}
INTENTS = {
    "CODE_GENERATION", "CHAT_COMPLETION", "CONTENT_EXTRACTION", "AGENT_TASK",
    "LANGUAGE_GENERATION", "RESEARCH_SYNTHESIS",
}  # fmt: skip
FIGURES = (
    "price", "capacity", "latency", "verbosity", "reasoning_share", "cache_hit_share",
    "wrong_output_factor", "quality",
)  # fmt: skip


def test_the_catalog_holds_the_thirteen_models():
    assert set(names(FOLDERS["catalog"])) == set(MARKET)


@pytest.mark.parametrize("name", MARKET)
def test_an_entry_says_what_the_market_table_says(name):
    model = catalog_model(name)
    origin, weights, asked, answered, cached, hits, reasoning, solved = MARKET[name]
    assert (model.origin, model.weights) == (origin, weights)
    assert (model.cache_hit_share, model.reasoning_share) == (hits, reasoning)
    assert isinstance(model.price, PerToken)
    if asked is None:
        assert "price" in model.estimated
    else:
        price = model.price
        found = (price.input_usd_per_mtok, price.output_usd_per_mtok, price.cached_usd_per_mtok)
        assert found == (Decimal(asked), Decimal(str(answered)), Decimal(str(cached)))
        assert "price" not in model.estimated
    if solved is None:
        assert "quality.CODE_GENERATION" in model.estimated
    else:
        assert model.quality["CODE_GENERATION"] == solved
        assert "quality.CODE_GENERATION" not in model.estimated


@pytest.mark.parametrize("name", MARKET)
def test_every_figure_has_a_source_and_a_date(name):
    model = catalog_model(name)
    assert set(FIGURES) | {"quality.CODE_GENERATION"} == set(model.sources)


@pytest.mark.parametrize("name", MARKET)
def test_every_model_serves_six_intents_and_flags_what_nobody_measured(name):
    model = catalog_model(name)
    assert set(model.quality) == INTENTS
    unmeasured = {f"quality.{intent}" for intent in INTENTS - {"CODE_GENERATION"}}
    flagged = {"latency", "verbosity", "capacity", "wrong_output_factor"}
    assert unmeasured | flagged <= set(model.estimated)


@pytest.mark.parametrize("name", MARKET)
def test_what_is_flagged_or_sourced_is_there(name):
    model = catalog_model(name)
    figures = set(type(model).model_fields) | {f"quality.{intent}" for intent in model.quality}
    assert set(model.estimated) | set(model.sources) <= figures
    assert len(model.estimated) == len(set(model.estimated))


@pytest.mark.parametrize(
    ("name", "verbosity", "first_token_ms", "tokens_per_s"),
    [("deepseek-v3.2", 0.97, 2325, 25), ("claude-opus-4.6", 2.28, 1695, 35.5)],
)
def test_derived_figures_follow_from_the_table(name, verbosity, first_token_ms, tokens_per_s):
    model = catalog_model(name)
    assert model.verbosity == verbosity
    assert model.latency.first_token_ms == first_token_ms
    assert model.latency.tokens_per_s == tokens_per_s
