"""When drills are held, and what becomes of what tests leave behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, cast

from pydantic import BaseModel, Field, field_validator

from domain.drills import Calendar
from domain.leftovers import Prices
from domain.settings.document import document


class DrillSettings(BaseModel):
    """Drills, and left-overs."""

    drills: Annotated[
        Calendar,
        Field(
            validation_alias="FAILBACK_DRILLS",
            description="The calendar of drills: a JSON list, or the path of a JSON file.",
        ),
    ] = Calendar()
    drill_age: Annotated[
        timedelta | None,
        Field(
            gt=timedelta(0),
            validation_alias="FAILBACK_DRILL_AGE",
            description="How old a machine's last good drill may be before its plan warns, as P90D.",
        ),
    ] = None
    test_time_to_live: Annotated[
        timedelta,
        Field(
            ge=timedelta(minutes=5),
            le=timedelta(days=30),
            validation_alias="FAILBACK_TEST_TIME_TO_LIVE",
            description="After how long a test failover of ours that no run watches any more is cleaned up.",
        ),
    ] = timedelta(days=2)
    prices: Annotated[
        Prices,
        Field(
            validation_alias="FAILBACK_PRICES",
            description="What left-overs cost a month, about: JSON, or the path of a JSON file.",
        ),
    ] = Prices()

    @field_validator("drills", mode="before")
    @classmethod
    def _read_calendar(cls, value: Any) -> Any:
        read = document(value)
        return cast("Any", {"drills": read}) if isinstance(read, list) else read

    @field_validator("prices", mode="before")
    @classmethod
    def _read_prices(cls, value: Any) -> Any:
        return document(value)
