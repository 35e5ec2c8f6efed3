"""The commented scenarios that ``telex init`` writes."""

from pathlib import Path

from sim.facts import Fault, ScenarioError
from sim.scenario import library
from sim.scenario.resolve import Resolver
from sim.scenario.tree import Branch, Leaf, Row

HEAD = """\
# {name}: which question does this scenario ask, and what do you expect?
#
#   telex validate {name}.yaml            all faults at once
#   telex run {name}.yaml                 run it, settle every call on a local Anvil
#   telex run {name}.yaml --chain none --set router.kind=cheapest --seed 2
#   telex list                            what else there is: catalog, presets, routers, ...
version: 1
seed: 1
"""

EXTENDS = """\
extends: presets/{preset}   # {headline}
"""

FLOORS = "presets/market-2026-floors"
SUPPLIED = """\
extends: [{floors}, presets/{preset}]   # its models ask floors per call
"""

PARTS = {
    "horizon_h": """\
horizon_h: 6                # simulated hours; or tasks: 5000
""",
    "models": """\

# Supply. `extends: catalog/NAME` takes a real model; every figure can be overridden.
models:
  glm-5: {extends: catalog/glm-5, capacity: {slots: 60, queue: 100}}
  gpt-5-mini: {extends: catalog/gpt-5-mini}
  claude-sonnet-4.6: {extends: catalog/claude-sonnet-4.6}
  house-model:
    origin: US
    weights: open           # open | closed
    price:                  # or {kind: per_call, usd_per_call: 0.002}
      kind: per_token
      input_usd_per_mtok: 0.60
      cached_usd_per_mtok: 0.10
      output_usd_per_mtok: 3.00
    quality: {CODE_GENERATION: 0.71, CHAT_COMPLETION: 0.83}   # share solved of a reference mix
    capacity: {slots: 40, queue: 200}                         # calls at once; calls that wait
    latency: {first_token_ms: 900, tokens_per_s: 55}
    cache_hit_share: 0.5    # of the input tokens, charged at the cached price
""",
    "groups": """\

# Demand. Agents of a group are alike; budget is per agent, the other limits are per task.
groups:
  coders:
    count: 20
    arrival: {kind: gamma, per_hour: 20, cv: 3.5}     # poisson | gamma | bursts
    intents:
      CODE_GENERATION:
        input_tokens: {median: 6000, sigma: 0.9}      # lognormal
        output_tokens: {median: 500, sigma: 0.9}
    budget_usd: 50
    value_usd: 0.40         # what a right answer in time is worth
    max_price_usd: 0.25     # the most one call may cost
    deadline_s: 300
    retries: 2
  chat:
    count: 50
    arrival: {kind: poisson, per_hour: 10}
    intents:
      CHAT_COMPLETION:
        input_tokens: {median: 1500, sigma: 1.0}
        output_tokens: {median: 250, sigma: 0.8}
    budget_usd: 20
    value_usd: 0.05
    max_price_usd: 0.05
    deadline_s: 120
    # requires: {weights: open, excluded_origins: [CN]}
""",
    "router": """\

# Rules. `telex list routers` shows the others, with their parameters.
router: {kind: leaderboard, shares_percent: [70, 20, 10]}
""",
    "validators": """\
validators: {kind: median, count: 7, noise: 0.05}
""",
    "rail": """\
rail: {kind: batch, size: 1000, interval_s: 60, settle_on: delivered, fee_bps: 200}
""",
    "chain": """\
chain: {gas_price_gwei: 0.01, eth_usd: 3000}
""",
}

OVERLAYS = {
    "models": """\

# A layer upon the preset's models: what is written here replaces what is there, null takes it away.
# models:
#   {entry}: {{capacity: {{slots: 8}}}}
""",
    "groups": """\

# A layer upon the preset's agents.
# groups:
#   {entry}: {{count: 10}}
""",
}


def template(name: str, preset: str | None = None) -> str:
    """The text of a scenario to edit; with a preset, one that builds on it and says the rest.

    Raises:
        ScenarioError: there is no such preset.
    """
    text = HEAD.format(name=name)
    given = Branch({})
    if preset is not None:
        path = _preset(preset.removeprefix("presets/"))
        given = _given(f"presets/{path.stem}")
        if given.branch("protocol").get("pricing") and given.get("models") is None:
            text += SUPPLIED.format(preset=path.stem, floors=FLOORS)
            given = _given(FLOORS, f"presets/{path.stem}")
        else:
            text += EXTENDS.format(preset=path.stem, headline=library.headline(path))
    for key, part in PARTS.items():
        if given.get(key) is None:
            text += part
        elif key in OVERLAYS:
            text += OVERLAYS[key].format(entry=next(iter(given.branch(key).items)))
    return text


def _given(*presets: str) -> Branch:
    """What these presets say together."""
    wanted = Row(tuple(map(Leaf, presets)))
    return Resolver().scenario(Branch({"extends": wanted}), Path(), ())


def _preset(name: str) -> Path:
    path = library.shipped(f"presets/{name}")
    if path is None:
        known = library.names(library.FOLDERS["presets"])
        hint = library.nearest(name, known)
        raise ScenarioError((Fault("--preset", name, " | ".join(known), hint),))
    return path
