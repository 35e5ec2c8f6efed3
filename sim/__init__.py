"""Telex: a simulator of agent marketplaces with real settlement.

``sim.run("scenarios/telegraph.yaml", set={...}, seed=1)`` runs a scenario and returns a
`sim.runner.Run`, with its ``summary`` and, as Polars frames, its ``calls``, ``tasks`` and
``transfers``.
"""

TYPE_CHECKING = False  # importing sim alone stays quick: typing takes a while, too
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sim.facts import ChainError, LawError, ScenarioError, TelexError, ToolError
    from sim.runner import Run
    from sim.scenario import Scenario

__all__ = ["ChainError", "LawError", "ScenarioError", "TelexError", "ToolError", "run"]


def run(
    source: "str | Path | Scenario",
    *,
    set: "Mapping[str, object] | None" = None,  # noqa: A002 - the interface's name
    seed: int | None = None,
    out: "str | Path | None" = None,
    chain: str | None = None,
    deployment: "str | Path | None" = None,
) -> "Run":
    """Runs a scenario as ``telex run`` does; see `sim.runner.run` for the arguments.

    Raises:
        TelexError: also a broken law or a chain lost in mid-run, once the record is saved.
    """
    from sim.runner import run as run_scenario

    ended = run_scenario(source, set=set, seed=seed, out=out, chain=chain, deployment=deployment)
    if ended.failure is not None:
        raise ended.failure
    return ended


def __getattr__(name: str) -> object:
    """The errors, once somebody asks for them."""
    if name in __all__:
        from sim import facts

        return getattr(facts, name)
    raise AttributeError(f"module 'sim' has no attribute {name!r}")
