"""What a run recorded of money beside its calls; no import here needs a chain library."""

from dataclasses import dataclass

from sim.units import Int64Array


@dataclass(frozen=True)
class Bonded:
    """Bonds and what was slashed of them, to be found on the chain.

    Args:
        posted_micros: the bond of each model.
        call_id, agent, model, micros: columns of the slashes, one for each failure that owed.
    """

    posted_micros: Int64Array
    call_id: Int64Array
    agent: Int64Array
    model: Int64Array
    micros: Int64Array


@dataclass(frozen=True)
class Withdrawn:
    """The steps of withdrawals, in order: ``executed`` is 0 where an agent asks, 1 where it has."""

    agent: Int64Array
    executed: Int64Array
    micros: Int64Array
