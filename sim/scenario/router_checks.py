"""What a schema cannot see of a router: models it names that are not there, shares beyond 100 %."""

from collections.abc import Iterator

from pydantic import TypeAdapter, ValidationError

from sim.facts import Fault
from sim.routers import Leaderboard, Router
from sim.scenario.faults import fault_at, found_at
from sim.scenario.library import nearest
from sim.scenario.reading import shown
from sim.scenario.shape import children
from sim.scenario.tree import Branch, Leaf, Path, Tree, plain

ROUTER: TypeAdapter[Router] = TypeAdapter(Router)


def router_contradictions(tree: Branch) -> Iterator[Fault]:
    """Every fault of a router that has none of its own; the other parts may have any."""
    part = tree.get("router")
    if not isinstance(part, Branch):
        return
    try:
        router = ROUTER.validate_python(plain(part))
    except ValidationError:
        return
    yield from _names(tree, part, getattr(router, "names", ()))
    if isinstance(router, Leaderboard) and sum(router.shares_percent) > 100:
        path = ("router", "shares_percent")
        yield fault_at(path, tree, found_at(path, tree), "shares of at most 100 together")


def _names(tree: Branch, router: Branch, names: tuple[str, ...]) -> Iterator[Fault]:
    known = list(tree.branch("models").items)
    for name in dict.fromkeys(names):
        if name not in known:
            path = ("router", *(_where(router, name) or ()))
            allowed = f"a model of this scenario: {', '.join(known) or 'it has none'}"
            yield fault_at(path, tree, shown(name), allowed, nearest(name, known))


def _where(part: Tree, name: str) -> Path | None:
    """The path to a name, as a value or as a key."""
    for key, child in children(part):
        if key == name or (isinstance(child, Leaf) and child.value == name):
            return (key,)
        below = _where(child, name)
        if below is not None:
            return (key, *below)
    return None
