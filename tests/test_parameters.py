"""Parameters: what every number of a scenario may be, at its edges."""

from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from sim import parameters
from sim.parameters import Parameters
from sim.routers import Knn
from sim.scenario.shape import describe, fields_of
from sim.validators import Median, Window

EDGES: list[tuple[str, list[object], list[object]]] = [
    ("Usd", [Decimal(0), Decimal("0.000001"), Decimal(10_000_000)],
     [Decimal("-0.000001"), Decimal("10000000.000001"), Decimal("0.0000001"), "NaN"]),
    ("PositiveUsd", [Decimal("0.000001"), Decimal(10_000_000)], [Decimal(0), Decimal(10_000_001)]),
    ("Share", [0, 0.5, 1], [-1e-9, 1.000001]),
    ("OpenShare", [1e-9, 0.5], [0, 1]),
    ("Positive", [1e-9, 1e9], [0, -1]),
    ("NonNegative", [0, 1e9], [-1e-9]),
    ("Count", [0, 10**9], [-1, 1.5, 1.0, "1"]),
    ("PositiveCount", [1, 10**9], [0, 1.5]),
    ("Bps", [0, 10_000], [-1, 10_001, 1.5]),
]  # fmt: skip
GOOD = [(name, value) for name, good, _ in EDGES for value in good]
BAD = [(name, value) for name, _, bad in EDGES for value in bad]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_a_value_at_the_edge_is_taken(name: str, value: object) -> None:
    assert TypeAdapter(getattr(parameters, name)).validate_python(value) == value


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_value_beyond_the_edge_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(getattr(parameters, name)).validate_python(value)


class Some(Parameters):
    size: float = 1.0


def test_parameters_are_frozen() -> None:
    for name in Some.model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(Some(), name, 2.0)


@pytest.mark.parametrize(
    "values", [{"length": 1}, {"size": float("nan")}, {"size": float("inf")}, {"size": "big"}]
)
def test_unknown_keys_and_what_is_no_number_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Some.model_validate(values)


def test_defaults_are_checked_too() -> None:
    class Wrong(Parameters):
        size: parameters.Positive = -1.0

    with pytest.raises(ValidationError):
        Wrong()


@pytest.mark.parametrize(
    ("rule", "key", "most"),
    [(Median, "count", 1000), (Window, "verdicts", 100_000), (Knn, "neighbours", 10_000)],
)
def test_a_limit_of_its_own_stands_beside_that_of_every_count(
    rule: type[Parameters], key: str, most: int
) -> None:
    assert getattr(rule.model_validate({key: most}), key) == most
    for beyond in (most + 1, 10**12, 0):
        with pytest.raises(ValidationError):
            rule.model_validate({key: beyond})
    assert describe(fields_of(rule)[key]) == f"a whole number from 1 to {most}"
