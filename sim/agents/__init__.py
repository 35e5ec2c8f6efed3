"""Demand: agents, the tasks that their own random streams draw, and how they go about them."""

from sim.agents.agent import Agent, Own, Plan
from sim.agents.crowd import agents
from sim.agents.demand import TOKENS_MAX, Spell, tasks
from sim.agents.flow import Flow, flows_of
from sim.agents.worth import Worth

__all__ = [
    "TOKENS_MAX", "Agent", "Flow", "Own", "Plan", "Spell", "Worth", "agents", "flows_of", "tasks",
]  # fmt: skip
