"""Clearing: how a run's mechanism turns tasks and quotes into calls and their prices."""

from sim.clearing.behind import FallingBack, fallback_of
from sim.clearing.bonded import BondedAuction
from sim.clearing.capacity import CapacityAuction
from sim.clearing.demand import DemandPrice
from sim.clearing.double import DoubleAuction
from sim.clearing.jobs import JobPrice
from sim.clearing.posted import PostedPrice
from sim.clearing.reverse import ReverseAuction
from sim.clearing.types import Clearing, Floor, Offer
from sim.mechanisms import (
    Double,
    ExecutionContingent,
    FirstPrice,
    Mechanism,
    Posted,
    SecondPrice,
    UniformPrice,
)
from sim.models import FloorPool, JobPool
from sim.scenario.schema import Scenario

__all__ = ["Clearing", "FallingBack", "Floor", "Offer", "clearing_of", "fallback_of"]


def clearing_of(scenario: Scenario, floor: Floor) -> Clearing:
    """The state of a scenario's mechanism within one run."""
    rule: Mechanism = scenario.mechanism
    if isinstance(rule, Posted):
        if isinstance(floor.pool, JobPool):
            return JobPrice(floor, floor.pool)
        return DemandPrice(floor) if isinstance(floor.pool, FloorPool) else PostedPrice(floor)
    if isinstance(rule, (FirstPrice, SecondPrice, UniformPrice)):
        return CapacityAuction(rule, scenario, floor)
    if isinstance(rule, Double):
        return DoubleAuction(rule, scenario, floor)
    if isinstance(rule, ExecutionContingent):
        return BondedAuction(rule, scenario, floor)
    return ReverseAuction(rule, floor)
