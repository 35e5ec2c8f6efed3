"""Parameters of a scenario that an experiment moves: where they are, and what values they take."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Self

from sim.experiment.measures import Number
from sim.facts import Fault, ScenarioError
from sim.scenario import Scenario, from_mapping
from sim.scenario import shape as shapes
from sim.scenario.overrides import overlay
from sim.scenario.tree import Branch, Leaf, Path, Place, Tree, from_plain

OPTION = "--param"
EXAMPLE = "PATH=LO:HI, PATH=LO:HI:N or PATH=A,B,C (LO:HI:log, LO:HI:N:log: in equal ratios)"
PER_RUN = ("seed", "version")
DIGITS = 12
POINTS_MAX = 1_000_000


@dataclass(frozen=True)
class Parameter:
    """A number of a scenario and where it may be.

    Args:
        path: in the scenario, as ``--set`` takes it.
        low, high: ends of its range. values: those it may take, in order; any between, if empty.
        log: whether equal ratios are equal steps.
    """

    path: str
    low: float
    high: float
    values: tuple[Decimal, ...] = ()
    log: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``path=lo:hi``, ``path=lo:hi:n`` (n values from lo to hi) or ``path=a,b,c``.

        Raises `ScenarioError` for anything else, and for an empty range.
        """
        path, _, spec = (part.strip() for part in text.rpartition("="))
        if not path or not spec:
            raise _fault(OPTION, repr(text), EXAMPLE)
        if ":" not in spec:
            values = tuple(_decimal(path, part) for part in spec.split(","))
            if len(set(values)) < len(values):
                raise _fault(path, repr(spec), "different values")
            return cls(path, float(min(values)), float(max(values)), values)
        parts = spec.split(":")
        log = parts[-1] == "log"
        return cls._range(path, spec, parts[: len(parts) - log], log)

    @classmethod
    def _range(cls, path: str, spec: str, parts: list[str], log: bool) -> Self:
        if len(parts) not in (2, 3):
            raise _fault(path, repr(spec), EXAMPLE)
        low, high = _decimal(path, parts[0]), _decimal(path, parts[1])
        if low > high or (low == high and len(parts) == 2):
            raise _fault(path, f"the empty range {spec}", f"LO below HI ({high} to {low}?)")
        if log and low <= 0:
            raise _fault(path, repr(spec), "LO above 0 for equal ratios")
        values = _steps(path, spec, low, parts[2], high, log) if len(parts) == 3 else ()
        return cls(path, float(low), float(high), values, log)

    def at(self, share: float) -> float | Decimal:
        """The value at a share in [0, 1] of the range: of its values, or of what lies between."""
        if self.values:
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        if self.log:
            return self.low * math.exp(math.log(self.high / self.low) * share)
        return self.low + (self.high - self.low) * share

    def share(self, value: float) -> float:
        """Where in [0, 1] of the range a value between its ends is."""
        if self.low == self.high:
            return 0.0
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def _decimal(path: str, text: str) -> Decimal:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise _fault(path, repr(text) if text.strip() else "an empty range", "numbers, as 1:5:9")
    return value


def _steps(
    path: str, spec: str, low: Decimal, count: str, high: Decimal, log: bool
) -> tuple[Decimal, ...]:
    n = int(count) if count.strip().isdecimal() else 0
    if n < 1 or n > POINTS_MAX or (n == 1) != (low == high):
        allowed = "LO:HI:N, N a whole number from 2 (from 1 where LO is HI)"
        raise _fault(path, f"the empty range {spec}" if n < 1 else repr(spec), allowed)
    if n == 1:
        return (low,)
    if log:
        ratio = (high / low) ** (Decimal(1) / (n - 1))
        inner = tuple(_short(float(low * ratio**step)) for step in range(1, n - 1))
    else:
        inner = tuple(low + (high - low) * step / (n - 1) for step in range(1, n - 1))
    return (low, *inner, high)


def _fault(path: str, found: str, allowed: str, hint: str = "") -> ScenarioError:
    return ScenarioError((Fault(path, found, allowed, hint, OPTION if path != OPTION else ""),))


def _short(value: float) -> Decimal:
    return Decimal(f"{value:.{DIGITS}g}")


class Space:
    """The parameters of an experiment, each found in the scenario and of a form that it takes.

    Raises `ScenarioError`, with every fault: no such path (and the nearest), no plain number, a
    number that the scenario does not allow there, the same parameter twice, none at all.
    """

    def __init__(self, scenario: Scenario, parameters: Sequence[Parameter]) -> None:
        self.scenario, self.parameters = scenario, tuple(parameters)
        if not parameters:
            raise _fault(OPTION, "nothing", f"at least one: {EXAMPLE}")
        tree = from_plain(scenario.model_dump(), Place())
        assert isinstance(tree, Branch)
        faults: list[Fault] = []
        places: dict[Path, str] = {}
        self._limits: dict[str, tuple[bool, int | None]] = {}
        for parameter in parameters:
            try:
                place, limits = _located(parameter.path, tree)
                if place in places:
                    raise _fault(parameter.path, f"{places[place]} once more", "each number once")
                places[place], self._limits[parameter.path] = parameter.path, limits
                self._check_ends(parameter)
            except ScenarioError as error:
                faults += error.faults
        if faults:
            raise ScenarioError(tuple(dict.fromkeys(faults)))

    def _check_ends(self, parameter: Parameter) -> None:
        """Each end by itself must be allowed: a single point that is not becomes a failed row."""
        values: tuple[float | Decimal, ...] = parameter.values or (parameter.low, parameter.high)
        broken = [value for value in parameter.values if value != value.to_integral_value()]
        uneven = broken[:1] if self.whole(parameter.path) else []
        for value in (min(values), max(values), *uneven):
            number = self.rounded(parameter.path, value)
            try:
                from_mapping(self.scenario.model_dump(), {parameter.path: number})
            except ScenarioError as error:
                raise ScenarioError(tuple(_from_option(fault) for fault in error.faults)) from error

    def rounded(self, path: str, value: float | Decimal) -> Number:
        """The nearest value that the scenario's field can take (whole, micros, or 12 digits)."""
        whole, places = self._limits[path]
        exact = value if isinstance(value, Decimal) else _short(value)
        if whole:
            given = isinstance(value, Decimal) and exact != exact.to_integral_value()
            return float(exact) if given else int(exact.to_integral_value(ROUND_HALF_EVEN))
        if places is not None:
            exact = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
        return float(_short(float(exact)) if places is None else exact)

    def whole(self, path: str) -> bool:
        """Whether the scenario takes only whole numbers there."""
        return self._limits[path][0]

    def point(self, values: Sequence[float | Decimal]) -> dict[str, Number]:
        """Values of all parameters, in their order, as numbers by path."""
        pairs = zip(self.parameters, values, strict=True)
        return {parameter.path: self.rounded(parameter.path, value) for parameter, value in pairs}

    def at(self, shares: Sequence[float]) -> dict[str, Number]:
        """The point at a share in [0, 1] of each parameter's range."""
        pairs = zip(self.parameters, shares, strict=True)
        return self.point([parameter.at(share) for parameter, share in pairs])

    def shares(self, point: Mapping[str, Number]) -> list[float]:
        """Where in [0, 1] of each range a point is."""
        return [parameter.share(point[parameter.path]) for parameter in self.parameters]


def _located(text: str, tree: Branch) -> tuple[Path, tuple[bool, int | None]]:
    """The place of a number; whether it is whole, and to how many decimals it goes."""
    made, faults = overlay({text: 0}, tree)
    if faults:
        raise ScenarioError(tuple(_from_option(fault) for fault in faults))
    path = next(_set_leaves(made, (), f"--set {text}"))
    shape = shapes.shape_at(path, tree)
    if path[0] in PER_RUN or shape is None or not shapes.is_number(shape):
        hint = "replications have seeds of their own: --reps" if path[0] == "seed" else ""
        found = "one for all" if path[0] in PER_RUN else "what is no number"
        raise _fault(text, found, "a plain number of the scenario", hint)
    places = shape.limits.get("decimal_places")
    return path, (shape.types == (int,), places if isinstance(places, int) else None)


def _set_leaves(tree: Tree, path: Path, source: str) -> Iterator[Path]:
    if isinstance(tree, Leaf):
        if tree.place.source == source:
            yield path
        return
    for key, part in shapes.children(tree):
        yield from _set_leaves(part, (*path, key), source)


def _from_option(fault: Fault) -> Fault:
    return replace(fault, place=fault.place.replace("--set", OPTION))
