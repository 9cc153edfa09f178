"""What people want of a run as a whole: that it ends, that it waits, that it was never proposed.

A cancel stands for ever, a pause until somebody resumes, a withdrawal only until people agreed to begin.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from domain.errors import bounded
from domain.gate import HELD_AT_MOST
from domain.wire import Answer

# So many of the newest are kept for the report.
PAUSES_KEPT: Final = 50


class Pause(Answer):
    """A time in which a run began nothing new: who wanted it and why, and who ended it."""

    by: str
    reason: str = ""
    at: datetime
    resumed_by: str | None = None
    resumed_at: datetime | None = None

    @property
    def words(self) -> str:
        """Say who paused the run, and why."""
        return f"paused by {self.by}: {bounded(self.reason, 300) or 'no reason given'}"


class Control(Answer):
    """What people want of one run."""

    cancelled: str | None = None
    withdrawn: str | None = None
    # Absent in old runs, which could not be paused.
    pauses: tuple[Pause, ...] = ()
    # Who cancelled, in their own words.
    by: str | None = None
    reason: str | None = None
    at: datetime | None = None

    @property
    def paused(self) -> str | None:
        """Say by whom and why the run is paused, if it is; a cancelled run pauses no more."""
        last = next(reversed(self.pauses), None)
        return last.words if last and last.resumed_at is None and self.cancelled is None else None

    def heeded_at(self, now: datetime) -> Control:
        """Give what counts at a moment: a run that nobody resumes for too long is cancelled, not kept for ever."""
        last = next(reversed(self.pauses), None)
        if self.paused is None or last is None or now - last.at <= HELD_AT_MOST:
            return self
        return self.having(cancelled=f"{last.words}, and not resumed for {HELD_AT_MOST.days} days")

    def cancel(self, *, by: str | None, reason: str, at: datetime | None) -> Control:
        """Cancel; the first word stands."""
        if self.cancelled is not None:
            return self
        return self.having(cancelled=f"{reason or 'no reason given'} ({by})", by=by, reason=reason, at=at)

    def pause(self, *, by: str, reason: str, at: datetime) -> Control:
        """Pause; somebody who pauses a paused or cancelled run changes nothing."""
        if self.paused is not None or self.cancelled is not None:
            return self
        return self.having(pauses=(*self.pauses, Pause(by=by, reason=reason, at=at))[-PAUSES_KEPT:])

    def resume(self, *, by: str, at: datetime) -> Control:
        """Go on, if the run is paused."""
        if self.paused is None:
            return self
        return self.having(pauses=(*self.pauses[:-1], self.pauses[-1].having(resumed_by=by, resumed_at=at)))

    def withdraw(self, *, reason: str) -> Control:
        """Take the proposal of the run back; the first word stands."""
        return self if self.withdrawn is not None else self.having(withdrawn=reason or "no reason given")
