"""The registry of models, as the protocol's contract keeps it: a row per registration."""

from sim.mechanisms import PerCall
from sim.scenario.chain_checks import least_floor_micros
from sim.scenario.schema import Scenario
from sim.units import micros_from_usd_exact


class Registry:
    """Rows for ``registrations.parquet`` (see `sim.record.protocol`), in order: ids count from 1.

    A floor stands as long as its registration. All but those who are ``absent`` at first had
    registered before the run, which has no time.
    """

    def __init__(self, scenario: Scenario, absent: frozenset[int]) -> None:
        self.rows: list[dict[str, object]] = []
        self._standing: dict[str, dict[str, object]] = {}
        self._names = list(scenario.models)
        for at in range(len(self._names)):
            if at not in absent:
                self.register(at, scenario, None)

    def register(self, model: int, scenario: Scenario, now_us: int | None) -> None:
        """A model registers by the rules in force; a registration that it has ends thereby."""
        if now_us is not None:
            self.leave(model, now_us)
        name = self._names[model]
        row: dict[str, object] = {
            "registration": len(self.rows) + 1,
            "model": name,
            "floor_micros": floor_micros(scenario, name),
            "registered_us": now_us,
            "left_us": None,
        }
        self.rows.append(row)
        self._standing[name] = row

    def leave(self, model: int, now_us: int) -> None:
        """A model's registration ends, if it has one."""
        row = self._standing.pop(self._names[model], None)
        if row is not None:
            row["left_us"] = now_us


def floor_micros(scenario: Scenario, model: str) -> int:
    """What a model registers as the least it takes: its price per call, if it has one.

    It is no less than the least floor there may be.
    """
    assert scenario.protocol is not None
    least, price = least_floor_micros(scenario.protocol), scenario.models[model].price
    if isinstance(price, PerCall):
        return max(least, micros_from_usd_exact(price.usd_per_call))
    return least
