"""Demand: agents, the tasks that their own random streams draw, and how they go about them."""

from sim.agents.agent import Agent, Own, Plan
from sim.agents.crowd import agents
from sim.agents.demand import TOKENS_MAX, Spell, tasks
from sim.agents.flow import Flow
from sim.agents.ways import Ways
from sim.agents.withdrawing import Withdrawing
from sim.agents.worth import Worth

__all__ = [
    "TOKENS_MAX", "Agent", "Flow", "Own", "Plan", "Spell", "Ways", "Withdrawing", "Worth", "agents",
    "tasks",
]  # fmt: skip
