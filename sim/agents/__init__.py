"""Demand: agents, the tasks that their own random streams draw, and how they go about them."""

from sim.agents.agent import Agent, Plan
from sim.agents.crowd import agents
from sim.agents.demand import TOKENS_MAX, tasks

__all__ = ["TOKENS_MAX", "Agent", "Plan", "agents", "tasks"]
