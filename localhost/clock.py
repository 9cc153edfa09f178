"""The two clocks a host can run on; both say the time in UTC."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

# Any fixed moment serves; a test that prints times reads better with a round one.
DEFAULT_START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Anything that says what time it is, as an aware UTC datetime."""

    def now(self) -> datetime:
        """Say what time it is, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Say what time it is, in UTC."""
        return datetime.now(UTC)


class VirtualClock:
    """A clock that stands still until somebody advances it, and never goes back."""

    def __init__(self, start: datetime = DEFAULT_START) -> None:
        if start.tzinfo is None:
            raise ValueError("A clock needs to know its time zone: give an aware datetime.")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Say what time it is, in UTC."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Let that much time pass."""
        self.advance_to(self._now + by)

    def advance_to(self, moment: datetime) -> None:
        """Let time pass up to that moment; a moment already past changes nothing."""
        self._now = max(self._now, moment.astimezone(UTC))
