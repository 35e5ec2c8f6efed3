"""Contradictions between what was reported of a real market and the scenario it is held against."""

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from sim.facts import Fault
from sim.scenario.faults import fault_at
from sim.scenario.library import nearest
from sim.scenario.reported import Reported
from sim.scenario.supply import Model
from sim.scenario.tree import Branch, plain


def reported_contradictions(
    tree: Branch, models: Mapping[str, Model | None], horizon_h: float | None
) -> Iterator[Fault]:
    """Origins that no model has, and hours in which the run has ended."""
    if None in models.values():
        return
    known = sorted({model.origin for model in models.values() if model and model.origin})
    for name, part in tree.branch("reported").items.items():
        try:
            one = Reported.model_validate(plain(part))
        except ValidationError:
            continue
        for key, origins in (("origin", (one.origin,)), ("among", one.among)):
            for origin in origins:
                if origin not in known:
                    allowed = f"an origin of a model: {', '.join(known) or 'none has one'}"
                    where = ("reported", name, key)
                    yield fault_at(where, tree, origin, allowed, nearest(origin, known))
        if horizon_h is not None and one.from_h >= horizon_h:
            allowed = f"a time before horizon_h: {horizon_h:g}"
            yield fault_at(("reported", name, "from_h"), tree, f"{one.from_h:g}", allowed)
