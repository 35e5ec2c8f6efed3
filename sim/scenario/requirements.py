"""What agents require of a model before it may be picked at all."""

from typing import get_args

from sim.parameters import Parameters, PositiveCount
from sim.scenario.names import Name
from sim.scenario.supply import DataPolicy, Model, Origin, Weights

DATA_POLICIES: tuple[DataPolicy, ...] = get_args(DataPolicy)
UNLIMITED = 1 << 62


class Requirements(Parameters):
    """What a model must meet before it may be picked; empty means no such demand.

    Args:
        data_policy: the least strict that will do. context_tokens: the least it must take.
        tools: all that it must be able to use. owners, excluded_owners: whose models may be picked.
    """

    weights: Weights | None = None
    origins: tuple[Origin, ...] = ()
    excluded_origins: tuple[Origin, ...] = ()
    owners: tuple[Name, ...] = ()
    excluded_owners: tuple[Name, ...] = ()
    data_policy: DataPolicy = "trains"
    context_tokens: PositiveCount | None = None
    tools: tuple[Name, ...] = ()

    def met_by(self, model: Model) -> bool:
        """Whether a model may serve agents that ask for this."""
        return (
            self.weights in (None, model.weights)
            and (not self.origins or model.origin in self.origins)
            and model.origin not in self.excluded_origins
            and (not self.owners or model.owner in self.owners)
            and (model.owner is None or model.owner not in self.excluded_owners)
            and DATA_POLICIES.index(model.data_policy) >= DATA_POLICIES.index(self.data_policy)
            and (model.context_tokens or UNLIMITED) >= (self.context_tokens or 0)
            and set(self.tools) <= set(model.tools)
        )
