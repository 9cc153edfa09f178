"""How long the host remembers what has ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field


class RetentionSettings(BaseModel):
    """How long finished runs are remembered."""

    # A week at the least: a drill that was missed is made up for within a day, and must still be known as held.
    retention: Annotated[
        timedelta,
        Field(
            ge=timedelta(days=7),
            le=timedelta(days=3650),
            validation_alias="FAILBACK_RETENTION",
            description="How long after its end a run is still listed and its report given, as P90D; 7 days at "
            "least. Then the host forgets it and all that belonged to it. Evidence stays.",
        ),
    ] = timedelta(days=90)
