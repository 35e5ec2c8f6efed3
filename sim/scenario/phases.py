"""Phases: a scenario as its events change it, each phase a whole and checked scenario."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np
from pydantic import TypeAdapter, ValidationError

from sim.facts import Fault, ScenarioError
from sim.scenario.checks import contradictions
from sim.scenario.event_checks import (
    Numbered,
    kept,
    of_event,
    unchanged,
    unnamed_code,
    wrong_events,
)
from sim.scenario.events import AnyEvent, Outage, Set
from sim.scenario.faults import faults_of, truth_values, unknown_nulls
from sim.scenario.overrides import overlay
from sim.scenario.schema import Scenario
from sim.scenario.shape import with_kinds
from sim.scenario.tree import (
    Branch,
    Leaf,
    Place,
    Row,
    Tree,
    from_plain,
    layer_scenario,
    plain,
    pruned,
)
from sim.scenario.writing import as_text
from sim.units import Int64Array


@dataclass(frozen=True, slots=True)
class Phase:
    """A scenario and since when it is in force."""

    from_us: int
    scenario: Scenario


WHOLE_TASK = "task"


class Phases:
    """The phases of a scenario in order; the first begins at 0. Without events there is one."""

    def __init__(self, phases: Sequence[Phase]) -> None:
        self.all = tuple(phases)
        self.starts_us = [phase.from_us for phase in self.all]

    def __iter__(self) -> Iterator[Phase]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    @property
    def first(self) -> Scenario:
        """What a run begins with."""
        return self.all[0].scenario

    def at(self, time_us: int) -> Scenario:
        """The scenario in force at a time; a phase begins before all else of its microsecond."""
        return self.all[bisect_right(self.starts_us, time_us) - 1].scenario

    def of(self, times_us: Int64Array) -> Int64Array:
        """The number of the phase in force at each time."""
        return np.searchsorted(np.array(self.starts_us), times_us, side="right") - 1

    @cached_property
    def step_names(self) -> tuple[str, ...]:
        """What the record calls the parts of tasks: ``task`` for a whole one, then every step."""
        groups = [group for phase in self for group in phase.scenario.groups.values()]
        demands = [demand for group in groups for demand in group.intents.values()]
        return (WHOLE_TASK, *sorted({name for each in demands for name in each.workflow}))

    def highest_price_usd(self, group: str) -> Decimal:
        """The most that a call of a group's may cost in any phase."""
        return max(phase.scenario.groups[group].max_price_usd for phase in self)


EVENT: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
KNOWN_MAX = 64
GENESIS = "protocol.emission.epochs_before"
_known: dict[bytes, Phases] = {}


def with_settings(tree: Tree) -> Tree:
    """The tree in which every event that says what to ``set``, and no kind, is of that kind.

    What it sets stands as text, nulls too: they are the setting's, and take away what it names.
    """
    events = tree.get("events") if isinstance(tree, Branch) else None
    if not isinstance(tree, Branch) or not isinstance(events, Row):
        return tree
    rows = tuple(map(_with_settings, events.items))
    return tree.having("events", Row(rows, events.place))


def _with_settings(event: Tree) -> Tree:
    given = event.get("set") if isinstance(event, Branch) else None
    if not isinstance(event, Branch) or given is None:
        return event
    if isinstance(given, Branch):
        texts = {key: Leaf(as_text(plain(part)), part.place) for key, part in given.items.items()}
        event = event.having("set", Branch(texts, given.place))
    return event if event.get("kind") else event.having("kind", Leaf("set", event.place))


def phases(scenario: Scenario) -> Phases:
    """The phases of a checked scenario; raises `ScenarioError` if an event has a fault."""
    if not scenario.events:
        return Phases([Phase(0, scenario)])
    key = scenario.scenario_hash()
    if key not in _known:
        tree = from_plain(scenario.model_dump(), Place())
        assert isinstance(tree, Branch)
        unfolding = _Unfolding(scenario, list(enumerate(scenario.events)), tree)
        found = unfolding.phases()
        if unfolding.faults:
            raise ScenarioError(tuple(unfolding.faults))
        if len(_known) >= KNOWN_MAX:
            _known.clear()
        _known[key] = found
    return _known[key]


def event_faults(tree: Branch) -> list[Fault]:
    """Every fault of the events of a scenario as it is written, the schema's left out.

    Events that the schema refuses are passed over; so is what others set, if it refuses the rest,
    but for paths that lead nowhere.
    """
    rows = tree.get("events")
    if not isinstance(rows, Row):
        return []
    events = [(number, event) for number, row in enumerate(rows.items) if (event := _event(row))]
    try:
        scenario = Scenario.model_validate(plain(tree.without("events")))
    except ValidationError:
        return [*wrong_events(tree, events, None), *_lost_paths(tree, events)]
    unfolding = _Unfolding(scenario, events, tree)
    unfolding.phases()
    return list(dict.fromkeys(unfolding.faults))


def _lost_paths(tree: Branch, events: Numbered) -> Iterator[Fault]:
    """What events would set that is nowhere, as far as can be told of a scenario with faults."""
    now = tree.without("events")
    for number, event in sorted(events, key=lambda pair: pair[1].from_us):
        if isinstance(event, Set):
            made, faults = overlay(event.set, now)
            now = layer_scenario(now, made)
            yield from (of_event(fault, number, event, tree) for fault in faults)


def _event(row: Tree) -> AnyEvent | None:
    try:
        return EVENT.validate_python(plain(row))
    except ValidationError:
        return None


class _Unfolding:
    """Lays the settings of each phase's events upon the scenario, in order of their time.

    Phases share their first events: what those have made of the scenario is kept.
    """

    def __init__(self, scenario: Scenario, events: Numbered, tree: Branch) -> None:
        self.tree = tree
        self.base = scenario.model_copy(update={"events": ()})
        self.faults = list(wrong_events(tree, events, scenario.horizon_h))
        wrong = {fault.path.split("]")[0] for fault in self.faults}
        sound = [pair for pair in events if f"events[{pair[0]}" not in wrong]
        self.events = sorted(sound, key=lambda pair: pair[1].from_us)
        self.made: list[tuple[tuple[int, int], Scenario]] = []

    def phases(self) -> Phases:
        times = sorted({0, *(time for _, event in self.events for time in event.times_us())})
        found: list[Phase] = []
        for time_us in times:
            now = self._at(time_us)
            if not found or now != found[-1].scenario:
                found.append(Phase(time_us, now))
        return Phases(found)

    def _at(self, time_us: int) -> Scenario:
        steps = [(number, event.stage(time_us)) for number, event in self.events]
        same = 0
        while same < len(self.made) and self.made[same][0] == steps[same]:
            same += 1
        del self.made[same:]
        now = self.made[-1][1] if self.made else self.base
        for (number, event), step in zip(self.events[same:], steps[same:], strict=True):
            now = self._after(now, number, event, step[1])
            self.made.append((step, now))
        return now

    def _after(self, now: Scenario, number: int, event: AnyEvent, stage: int) -> Scenario:
        """The scenario after one event; unchanged if the event has a fault."""
        settings = event.settings(now, stage)
        if not settings:
            return now
        faults, after = _laid(now, settings, known_from_start=isinstance(event, Outage))
        self.faults += [of_event(fault, number, event, self.tree) for fault in faults]
        return now if faults or after is None else after


def _laid(
    now: Scenario, settings: Mapping[str, object], *, known_from_start: bool
) -> tuple[list[Fault], Scenario | None]:
    base = pruned(from_plain(now.model_dump(exclude={"events"}), Place()))
    assert isinstance(base, Branch)
    made, faults = overlay(settings, base)
    faults += unnamed_code(made)
    written = with_kinds(layer_scenario(base, made))
    assert isinstance(written, Branch)
    whole = pruned(written)
    assert isinstance(whole, Branch)
    faults += unknown_nulls(written) + truth_values(whole)
    if not known_from_start:
        faults += unchanged(base, whole)
    try:
        after = Scenario.model_validate(plain(whole))
    except ValidationError as error:
        return faults + faults_of(error, whole), None
    # What was minted before the run was by the schedule of that time.
    found = [each for each in contradictions(whole, after) if each.path != GENESIS]
    return [*faults, *found, *kept(now, after)], after
