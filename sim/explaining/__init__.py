"""Why a call went where it went: the run once more up to that call, and what its router was shown.

The seed gives the same record again, so that the pool, scores, loads and purses of that moment are
exactly those of the run; the pick is held against the record.
"""

from sim.explaining.candidates import Candidate
from sim.explaining.explanation import Answer, Explanation, explain

__all__ = ["Answer", "Candidate", "Explanation", "explain"]
