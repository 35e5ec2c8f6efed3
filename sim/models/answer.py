"""An answer: what a model makes of a task."""

from typing import NamedTuple


class Answer(NamedTuple):
    """What a model makes of a task: right or wrong, its tokens, and the time it takes in us.

    ``output_tokens`` are those billed, ``produced_tokens`` those made; ``served_by`` is the
    position of the model that made them, at a marginal cost of ``cost_micros``.
    """

    right: bool
    cached_tokens: int
    output_tokens: int
    service_us: int
    produced_tokens: int
    served_by: int
    cost_micros: int
