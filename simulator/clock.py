"""The one clock of a simulator: nothing else in this package asks what time it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the simulated time, and the time on the caller's own watch."""

    def now(self) -> datetime:
        """Answer the simulated instant, aware and in UTC; it never goes back."""
        ...

    def client_now(self) -> datetime:
        """Answer what a caller's watch shows, which is what a token's expiry is about."""
        ...

    def advance(self, by: timedelta) -> None:
        """Move the simulated time forward at once."""
        ...


class ManualClock:
    """A clock that moves only when it is told to."""

    def __init__(self, start: datetime = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)) -> None:
        """Stand still at `start`, which must be aware."""
        self._now = start

    def now(self) -> datetime:
        """Answer the instant it was last moved to."""
        return self._now

    def client_now(self) -> datetime:
        """Answer the same instant: with a manual clock the caller's watch is this one."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move forward by `by`; a negative step is refused, since no state here can be undone."""
        if by < timedelta(0):
            msg = "a simulator's clock cannot go back"
            raise ValueError(msg)
        self._now += by


class ScaledClock:
    """A clock that starts at the real time and runs `speed` times as fast."""

    def __init__(self, speed: float = 1.0) -> None:
        """Start now; at `speed` 60 a job that takes an hour is over in a minute."""
        if speed <= 0:
            msg = "speed must be above zero"
            raise ValueError(msg)
        self._speed = speed
        self._started = datetime.now(UTC)
        self._origin = time.monotonic()
        self._skipped = timedelta(0)

    def now(self) -> datetime:
        """Answer the start plus the real time passed times the speed, plus what was skipped."""
        passed = timedelta(seconds=(time.monotonic() - self._origin) * self._speed)
        return self._started + passed + self._skipped

    def client_now(self) -> datetime:
        """Answer the real time: the caller's watch is not scaled."""
        return datetime.now(UTC)

    def advance(self, by: timedelta) -> None:
        """Skip `by` of simulated time at once."""
        if by < timedelta(0):
            msg = "a simulator's clock cannot go back"
            raise ValueError(msg)
        self._skipped += by
