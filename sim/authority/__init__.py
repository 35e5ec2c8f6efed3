"""The settlement authority of a local chain: it has simulated models answer clients' jobs."""

from sim.authority.answering import Answered, Answering, Asked, Refused
from sim.authority.service import Authority, Event, Outcome

__all__ = ["Answered", "Answering", "Asked", "Authority", "Event", "Outcome", "Refused"]
