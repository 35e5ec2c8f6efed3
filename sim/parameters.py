"""Shared types of every parameter a scenario may name: frozen pydantic, unknown keys refused."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Parameters(BaseModel):
    """Base of all parameters: frozen, no unknown keys, no NaN, defaults checked too."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True
    )


# A micro-USDC is the finest amount; 10^7 dollars keeps every sum of a run inside an int64, and
# every quote inside the 48 bits it has on chain.
Usd = Annotated[Decimal, Field(ge=0, le=10_000_000, decimal_places=6)]
PositiveUsd = Annotated[Decimal, Field(gt=0, le=10_000_000, decimal_places=6)]
Share = Annotated[float, Field(ge=0, le=1)]
OpenShare = Annotated[float, Field(gt=0, lt=1)]
# Below, not at most: a field's own `le` stands beside it, where a second `le` would be ignored.
# So many seconds are microseconds within an int64 still, and a float keeps its digits.
Positive = Annotated[float, Field(gt=0, lt=10**12)]
NonNegative = Annotated[float, Field(ge=0, lt=10**12)]
Count = Annotated[int, Field(ge=0, lt=10**12, strict=True)]
PositiveCount = Annotated[int, Field(ge=1, lt=10**12, strict=True)]
Bps = Annotated[int, Field(ge=0, le=10_000, strict=True)]
