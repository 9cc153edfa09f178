"""Instants as Site Recovery writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

UNSET_TASK_TIME = "0001-01-01T00:00:00"
"""A task that has not begun or ended; without a zone, as recorded."""

NO_SCENARIO_TIME = "1753-01-01T01:01:01Z"
"""The start of the scenario "None", as recorded."""


def ticks(instant: datetime) -> str:
    """Write an instant with seven decimals, as .NET does: `2023-01-16T09:28:50.7222604Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "0Z"


def whole_seconds(instant: datetime) -> str:
    """Write the end of a job, which carries whole seconds only."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def operation_end(instant: datetime) -> str:
    """Write the end of an operation: whole seconds, but with seven zeros behind them."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.0000000Z"


def http_date(instant: datetime) -> str:
    """Write the `Date` header."""
    return format_datetime(instant.astimezone(UTC), usegmt=True)


def plain_time(instant: datetime) -> str:
    """Write an instant as an American would, nothing padded: `3/24/2021 1:31:56 PM`."""
    at = instant.astimezone(UTC)
    return f"{at.month}/{at.day}/{at.year} {at.hour % 12 or 12}:{at:%M:%S %p}"


def parse_instant(text: str) -> datetime:
    """Read an ISO instant; one without a zone is taken as UTC. Raises ValueError."""
    head, dot, tail = text.strip().strip("'\"").partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        head = f"{head}.{tail[:digits][:6]}{tail[digits:]}"
    parsed = datetime.fromisoformat(head)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
