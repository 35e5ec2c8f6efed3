"""Losses: how many calls find no room, at a model with a short queue or none."""

from typing import Annotated, Literal

from pydantic import Field

from sim.verify.case import Case, Found, Known, Tasks
from sim.verify.formulas import erlang_b
from sim.verify.markets import agents, market, model, ran
from sim.verify.queues import Servers
from sim.verify.readings import Service, lost_share

AnyLoad = Annotated[float, Field(gt=0, le=10)]


class MM1K(Case):
    """One server and room for ``room`` calls in all: what finds none is lost."""

    kind: Literal["m-m-1-k"] = "m-m-1-k"
    load: AnyLoad = 0.8
    room: Annotated[int, Field(ge=1, le=1000)] = 5
    tasks: Tasks = 4_500

    def known(self) -> list[Known]:
        """The share lost."""
        weights = [self.load**calls for calls in range(self.room + 1)]
        return [Known("share lost", "r^K / (1 + r + ... + r^K)", weights[-1] / sum(weights))]

    def observe(self, seed: int) -> Found:
        """One run of one model with a short queue."""
        served = model(capacity={"slots": 1, "queue": self.room - 1})
        run = ran(market({"m": served}, {"a": agents(self.load)}, self.tasks, seed))
        return lost_share(run.frames, self.load)


class ErlangB(Case):
    """Several servers and no queue; the loss does not depend on the law of service."""

    kind: Literal["erlang-b"] = "erlang-b"
    law: Literal["deterministic", "uniform", "erlang", "exponential", "hyperexponential"]
    servers: Servers = 5
    load: AnyLoad = 0.8
    tasks: Tasks = 2_000

    def known(self) -> list[Known]:
        """The share lost."""
        lost = erlang_b(self.servers, self.servers * self.load)
        return [Known("share lost", "Erlang B(c, a), a = c r", lost)]

    def observe(self, seed: int) -> Found:
        """One run of one model without a queue."""
        served = model(law=self.law, capacity={"slots": self.servers, "queue": 0})
        per_s = self.servers * self.load
        run = ran(market({"m": served}, {"a": agents(per_s)}, self.tasks, seed))
        service = Service(variance=float(self.law != "deterministic"))
        return lost_share(run.frames, per_s, service)
